"""The sections of the configuration, a module for each stage that reads them: every key with its type, bounds, meaning.

What is written here is the only description of a key. `config.yaml`, the schema that editors read and
docs/configuration.md are made from it by `make config`, and a test fails where they differ.
"""
