"""What keeps the site from starting, in words for the person who started it."""


class StartProblem(Exception):
    """One line that says what is wrong and what to do. Entry points print it and exit with 1, without a traceback."""
