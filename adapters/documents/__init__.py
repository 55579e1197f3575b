"""The documents that are made from what the domain declares."""
