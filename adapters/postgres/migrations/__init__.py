"""The database's schema, step by step: each version is a file of SQL."""
