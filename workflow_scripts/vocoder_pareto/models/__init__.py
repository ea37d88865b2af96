"""The vocoders: one file per family behind the interface of `vocoder.py`."""
