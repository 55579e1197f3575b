"""Connectors: how CertiNext works with authorities that run elsewhere, and what those report."""

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, ends, keeps
from domain.values import Code, Count, Identifier, Name, Text
from domain.words import Module

ca_connectors = Declarations(Module.CERTIFICATE_AUTHORITY)


@ca_connectors(
    "ReportCaOperation",
    "ca_operation.reported",
    "certificate_authority",
    "reported an operation of authority {entity}",
    clause="3.2",
)
class CaOperationReported(Details):
    """An authority's own software told what it had done, with its error code if that went wrong."""

    operation: Name
    error_code: Identifier | None = None


@ca_connectors(
    "CreateCaConnector",
    "ca_connector.created",
    "ca_connector",
    "created CA connector {entity}",
    begins("inactive", keeps("ca_type", "endpoint")),
    clause="3.2",
)
class CaConnectorCreated(Details):
    """A link to an authority that runs elsewhere was set up, not yet in use."""

    ca_type: Code | None = None
    endpoint: Name | None = None


@ca_connectors(
    "ChangeCaConnector", "ca_connector.changed", "ca_connector", "changed CA connector {entity}", clause="3.2"
)
class CaConnectorChanged(Details):
    """The settings of a link to an authority were changed."""


@ca_connectors(
    "ActivateCaConnector",
    "ca_connector.activated",
    "ca_connector",
    "activated CA connector {entity}",
    becomes("active"),
    clause="3.2",
)
class CaConnectorActivated(Details):
    """A link to an authority was put into use, so that certificates can be ordered over it."""


@ca_connectors(
    "DeactivateCaConnector",
    "ca_connector.deactivated",
    "ca_connector",
    "deactivated CA connector {entity}",
    becomes("inactive"),
    clause="3.2",
)
class CaConnectorDeactivated(Details):
    """A link to an authority was put out of use, its settings kept."""

    reason: Text | None = None


@ca_connectors(
    "DeleteCaConnector",
    "ca_connector.deleted",
    "ca_connector",
    "deleted CA connector {entity}",
    ends("deleted"),
    clause="3.2",
)
class CaConnectorDeleted(Details):
    """A link to an authority was removed with its settings."""

    reason: Text | None = None


@ca_connectors("SynchronizeCa", "ca.synchronized", "ca_connector", "synchronized {entity} with its CA", clause="3.2")
class CaSynchronized(Details):
    """The inventory took over what an authority elsewhere had issued and revoked since the last time."""

    added: Count | None = None
    changed: Count | None = None
    duration_ms: Count | None = None
