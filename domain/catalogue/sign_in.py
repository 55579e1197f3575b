"""How people come in, what they reach, and how their sessions end."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import ACTOR, counts, ends, keeps, touches
from domain.values import PERSONAL, Code, Identifier, Name, Text
from domain.words import Module

sign_in = Declarations(Module.USER_ACTIVITY)


@sign_in("LogInUser", "user.logged_in", "user", "logged in", touches(counts("failed_log_ins")), clause="3.1")
class UserLoggedIn(Details):
    """A user proved who they are and was given a session."""

    auth_method: Code | None = None
    mfa_factor: Code | None = None
    identity_provider: Name | None = None
    session_id: Identifier | None = None


@sign_in("LogOutUser", "user.logged_out", "user", "logged out", clause="3.1")
class UserLoggedOut(Details):
    """A user ended their own session, or the portal ended it for them."""

    reason: Text | None = None
    session_id: Identifier | None = None


@sign_in(
    "ExpireSession",
    "session.expired",
    "session",
    "saw session {entity} expire",
    ends("expired"),
    clause="3.1",
)
class SessionExpired(Details):
    """A session reached the end of its time, or was left idle for too long."""


@sign_in(
    "RevokeSession",
    "session.revoked",
    "session",
    "revoked session {entity}",
    ends("revoked", keeps(revoked_by=ACTOR)),
    clause="3.1",
)
class SessionRevoked(Details):
    """A session was ended before its time, so that whoever held it had to sign in again."""

    revoked_by: Annotated[Name | None, PERSONAL] = None
    reason: Text | None = None


@sign_in("AccessResource", "resource.accessed", "resource", "accessed {entity}", clause="3.1")
class ResourceAccessed(Details):
    """Somebody opened a protected resource, or was denied it."""

    resource: Name | None = None
    permission: Name | None = None
