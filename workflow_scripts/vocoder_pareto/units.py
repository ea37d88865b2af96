"""Units that stand in more than one place."""

JOULES_PER_KWH = 3.6e6
SECONDS_PER_HOUR = 3600.0
