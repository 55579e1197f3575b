"""Why the demonstration cannot go on."""


class DemoError(Exception):
    """Base of what the demonstration raises on purpose."""


class CommandRefused(DemoError):
    """The service did not accept a command; the text says which field of it, or why."""


class ServiceUnavailable(DemoError):
    """The service did not answer, although it was asked again and again."""
