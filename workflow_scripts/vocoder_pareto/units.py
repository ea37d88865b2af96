"""Units of time and energy in terms of the seconds and joules that the library counts in."""

SECONDS_PER_HOUR = 3600.0
JOULES_PER_KWH = 3.6e6
