"""The one exception that a user's mistake raises: programs print its message on one line and exit with status 1."""


class UserError(Exception):
    """Bad input. The message names the file, key or value at fault, what is allowed, and how to mend it."""
