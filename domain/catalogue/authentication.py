"""The means by which people prove who they are: passwords and second factors."""

from domain.activity import Declarations, Details
from domain.effect import adds, clears, removes, touches
from domain.values import Code, Text
from domain.words import Module

authentication = Declarations(Module.USER_ACTIVITY)


@authentication("ChallengeMfa", "mfa.challenged", "user", "was asked for a second factor", clause="3.1")
class MfaChallenged(Details):
    """A user was asked for a second factor and gave it."""

    factor: Code | None = None


@authentication(
    "EnrollMfa",
    "mfa.enrolled",
    "user",
    "enrolled a second factor for {entity}",
    touches(adds(factors="factor")),
    clause="3.1",
)
class MfaEnrolled(Details):
    """A second factor was added to a user's account."""

    factor: Code | None = None


@authentication(
    "ResetMfa", "mfa.reset", "user", "reset the second factors of {entity}", touches(clears("factors")), clause="3.1"
)
class MfaReset(Details):
    """A user's second factors were voided, so that new ones had to be enrolled."""

    factor: Code | None = None
    reason: Text | None = None


@authentication(
    "RemoveMfa",
    "mfa.removed",
    "user",
    "removed a second factor of {entity}",
    touches(removes(factors="factor")),
    clause="3.1",
)
class MfaRemoved(Details):
    """A second factor was taken off a user's account."""

    factor: Code | None = None
    reason: Text | None = None


@authentication("ChangePassword", "password.changed", "user", "changed the password of {entity}", clause="3.1")
class PasswordChanged(Details):
    """A password was replaced by somebody who knew the old one."""


@authentication(
    "RequestPasswordReset",
    "password.reset_requested",
    "user",
    "asked to reset the password of {entity}",
    clause="3.1",
)
class PasswordResetRequested(Details):
    """A link or code was asked for, with which to set a password without knowing the old one."""

    delivery: Code | None = None


@authentication("ResetPassword", "password.reset", "user", "reset the password of {entity}", clause="3.1")
class PasswordReset(Details):
    """A password was replaced without the old one, by the user's own request or by an administrator."""


@authentication(
    "ChangeAuthenticationMethod",
    "authentication_method.changed",
    "user",
    "changed how {entity} signs in",
    clause="3.1",
)
class AuthenticationMethodChanged(Details):
    """The way in which a user signs in was changed, for instance from a password to a passkey."""


@authentication(
    "UseAuthenticationMethod",
    "authentication_method.used",
    "user",
    "used an authentication method of {entity}",
    clause="3.1",
)
class AuthenticationMethodUsed(Details):
    """A user proved who they are by one of their methods, at sign-in or for a single action."""

    method: Code | None = None
