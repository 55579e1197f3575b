"""Bots: the agents that work for CertiNext on other machines."""

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, ends, keeps, touches
from domain.values import Identifier, Name, Text, Timestamp
from domain.words import Module

bots = Declarations(Module.KEY_AUTOMATION)


@bots(
    "RegisterBot",
    "bot.registered",
    "bot",
    "registered bot {entity}",
    begins("registered", keeps("host", "version")),
    clause="3.2",
)
class BotRegistered(Details):
    """A bot made itself known and was entered, not yet allowed to act."""

    host: Name | None = None
    version: Name | None = None


@bots("ActivateBot", "bot.activated", "bot", "activated bot {entity}", becomes("active"), clause="3.2")
class BotActivated(Details):
    """A bot was allowed to act."""


@bots("DeactivateBot", "bot.deactivated", "bot", "deactivated bot {entity}", becomes("inactive"), clause="3.2")
class BotDeactivated(Details):
    """A bot was no longer allowed to act, for the time being."""

    reason: Text | None = None


@bots("UpgradeBot", "bot.upgraded", "bot", "upgraded bot {entity}", touches(keeps(version="new_version")), clause="3.4")
class BotUpgraded(Details):
    """A bot's software was replaced by another version."""

    old_version: Name | None = None
    new_version: Name | None = None


@bots("RemoveBot", "bot.removed", "bot", "removed bot {entity}", ends("removed"), clause="3.2")
class BotRemoved(Details):
    """A bot was struck out, its credential void."""

    reason: Text | None = None


@bots("CheckInBot", "bot.checked_in", "bot", "checked in", clause="3.2")
class BotCheckedIn(Details):
    """A bot reported that it is alive, and fetched its work."""

    host: Name | None = None
    version: Name | None = None


@bots(
    "RotateBotCredential",
    "bot.credential_rotated",
    "bot",
    "rotated the credential of bot {entity}",
    touches(keeps(credential="credential_id", credential_expires_at="expires_at")),
    clause="3.2",
)
class BotCredentialRotated(Details):
    """The credential by which a bot proves itself gave way to a new one."""

    credential_id: Identifier | None = None
    expires_at: Timestamp | None = None
