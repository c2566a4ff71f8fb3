"""What comes in and what goes out, described apart: requests are checked here for shape, by services for sense."""
