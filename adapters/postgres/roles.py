"""The database roles of the service, and the settings of their sessions."""

WRITER = "certinext_audit_writer"
PROJECTOR = "certinext_audit_projector"
READER = "certinext_audit_reader"

_FOR_ALL = {
    "application_name": "certinext-audit",
    "timezone": "UTC",
    # The best plan depends on the values: how often an actor acts, how wide a span of time is.
    "plan_cache_mode": "force_custom_plan",
    # A process that hangs or is cut off must not keep what it has locked.
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "20s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_FOR_ROLE = {
    WRITER: {"statement_timeout": "30s"},
    # Tables and tracking are lost together if the database dies, and made again from the ledger.
    PROJECTOR: {"synchronous_commit": "off"},
    READER: {"statement_timeout": "30s"},
}


def settings_of(role: str) -> dict[str, str]:
    """What a session says of itself when it begins: it acts as `role` from its first moment."""
    return _FOR_ALL | _FOR_ROLE.get(role, {}) | {"role": role}
