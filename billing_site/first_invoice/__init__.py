"""The way to the first real invoice: what is there of it, and one page from an event to the line that bills it."""
