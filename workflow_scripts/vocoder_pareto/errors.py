"""The one exception that a user's mistake raises: programs print its message on one line and exit with status 1."""


class UserError(Exception):
    """Bad input. The message names the file, key or value at fault, what is allowed, and how to mend it."""


def first_line(error: BaseException) -> str:
    """Return the first line of what `error` says, or the name of its class if it says nothing."""
    return str(error).partition("\n")[0].strip() or type(error).__name__
