"""Audio of the test set: by vocoders, and by the reference systems that need no network."""
