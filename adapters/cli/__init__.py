"""The command line: `certinext-audit`. Empty, since workers of the service need little of it."""
