"""The study as one configures it: settings, systems, what identifies a result, what made it."""
