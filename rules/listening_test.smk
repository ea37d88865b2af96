# The listening test.
