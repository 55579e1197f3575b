"""Where keys live: key stores, and hardware security modules (HSMs)."""

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, ends, keeps, touches
from domain.values import Code, Identifier, Name, Text
from domain.words import Module

key_stores = Declarations(Module.KEY_AUTOMATION)


@key_stores(
    "CreateKeyStore",
    "key_store.created",
    "key_store",
    "created key store {entity}",
    begins("active", keeps("store_type", hsm="hsm_id")),
    "1.4",
)
class KeyStoreCreated(Details):
    """A place to keep keys was set up: a file, a vault, or a part of a device."""

    store_type: Code | None = None
    hsm_id: Identifier | None = None


@key_stores("ChangeKeyStore", "key_store.changed", "key_store", "changed key store {entity}", clause="1.4")
class KeyStoreChanged(Details):
    """The settings of a key store were changed, or who may use it."""


@key_stores("DeleteKeyStore", "key_store.deleted", "key_store", "deleted key store {entity}", ends("deleted"), "1.4")
class KeyStoreDeleted(Details):
    """A key store was removed, and with it whatever it still held."""

    reason: Text | None = None


@key_stores(
    "ConnectHsm",
    "hsm.connected",
    "hsm",
    "connected HSM {entity}",
    becomes("connected", keeps("vendor", "model", "serial", "firmware")),
    clause="1.4",
)
class HsmConnected(Details):
    """A hardware security module was joined to CertiNext."""

    vendor: Name | None = None
    model: Name | None = None
    serial: Identifier | None = None
    firmware: Name | None = None


@key_stores("DisconnectHsm", "hsm.disconnected", "hsm", "disconnected HSM {entity}", becomes("disconnected"), "1.4")
class HsmDisconnected(Details):
    """A hardware security module was parted from CertiNext, or could no longer be reached."""

    reason: Text | None = None


@key_stores(
    "InitializeHsm",
    "hsm.initialized",
    "hsm",
    "initialized HSM {entity}",
    becomes("initialized", keeps("serial", "firmware", "fips_mode")),
    "1.4",
)
class HsmInitialized(Details):
    """A hardware security module was set up from empty, with new officers and an empty key store."""

    serial: Identifier | None = None
    firmware: Name | None = None
    fips_mode: bool | None = None


@key_stores(
    "UpdateHsmFirmware",
    "hsm.firmware_updated",
    "hsm",
    "updated the firmware of HSM {entity}",
    touches(keeps(firmware="new_version")),
    clause="1.4",
)
class HsmFirmwareUpdated(Details):
    """A hardware security module was given other firmware."""

    old_version: Name | None = None
    new_version: Name | None = None


@key_stores("ZeroizeHsm", "hsm.zeroized", "hsm", "zeroized HSM {entity}", becomes("zeroized"), clause="1.4")
class HsmZeroized(Details):
    """A hardware security module erased all its keys, by command or because it was tampered with."""

    reason: Text | None = None
