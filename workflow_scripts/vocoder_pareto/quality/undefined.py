"""The one way in which a metric says that it has no value for a clip."""


class Undefined(Exception):
    """A metric is not defined for this pair of signals, or its package is not installed. The message says why."""
