"""What happens to a user's account and identity: locks, roles, impersonation, single sign-on."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import becomes, keeps
from domain.values import PERSONAL, Count, Identifier, Name, Text, Timestamp
from domain.words import Module

accounts = Declarations(Module.USER_ACTIVITY)


@accounts(
    "LockAccount",
    "account.locked",
    "user",
    "locked the account of {entity}",
    becomes("locked", keeps("locked_until")),
    clause="3.1",
)
class AccountLocked(Details):
    """An account was closed to sign-in, usually after too many wrong attempts."""

    threshold: Count | None = None
    reason: Text | None = None
    locked_until: Timestamp | None = None


@accounts(
    "UnlockAccount",
    "account.unlocked",
    "user",
    "unlocked the account of {entity}",
    becomes("active", after=("locked",)),
    "3.1",
)
class AccountUnlocked(Details):
    """A locked account was opened to sign-in again, by somebody or after its time."""

    unlocked_by: Annotated[Name | None, PERSONAL] = None


@accounts("AssumeRole", "role.assumed", "role", "assumed role {entity}", clause="3.1")
class RoleAssumed(Details):
    """A user took on a role that they do not hold all the time."""

    role: Name | None = None
    expires_at: Timestamp | None = None


@accounts("StartImpersonation", "impersonation.started", "user", "started to act as {entity}", clause="3.1")
class ImpersonationStarted(Details):
    """Somebody began to act in CertiNext as another user, for instance to help them."""

    impersonated: Annotated[Name | None, PERSONAL] = None
    ticket: Identifier | None = None


@accounts("EndImpersonation", "impersonation.ended", "user", "ceased to act as {entity}", clause="3.1")
class ImpersonationEnded(Details):
    """Somebody who had acted as another user became themselves again."""

    impersonated: Annotated[Name | None, PERSONAL] = None
    ticket: Identifier | None = None


@accounts(
    "ReceiveSsoAssertion",
    "sso_assertion.received",
    "user",
    "presented a single sign-on assertion for {entity}",
    clause="3.1",
)
class SsoAssertionReceived(Details):
    """An identity provider vouched for a user, by SAML or OpenID Connect, and was or was not believed."""

    identity_provider: Name | None = None
    reason: Text | None = None
    assertion_id: Identifier | None = None
