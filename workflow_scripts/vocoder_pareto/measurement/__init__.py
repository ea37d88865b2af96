"""Energy, floating point operations and the hardware they were measured on (the protocol: docs/measurement.md)."""
