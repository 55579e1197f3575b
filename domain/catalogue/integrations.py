"""The other systems that CertiNext is joined to: integrations, connectors and webhooks."""

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, ends, keeps
from domain.values import Code, Count, Identifier, Name, Text
from domain.words import Module

integrations = Declarations(Module.ADMINISTRATION)


@integrations(
    "ConnectIntegration",
    "integration.connected",
    "integration",
    "connected integration {entity}",
    becomes("connected", keeps("product", "endpoint")),
    clause="3.2",
)
class IntegrationConnected(Details):
    """CertiNext was joined to another product, such as a ticket system or a SIEM."""

    product: Name | None = None
    endpoint: Name | None = None


@integrations("ChangeIntegration", "integration.changed", "integration", "changed integration {entity}", clause="3.2")
class IntegrationChanged(Details):
    """The settings by which CertiNext works with another product were changed."""


@integrations(
    "DisconnectIntegration",
    "integration.disconnected",
    "integration",
    "disconnected integration {entity}",
    becomes("disconnected"),
    clause="3.2",
)
class IntegrationDisconnected(Details):
    """CertiNext was parted from another product."""

    reason: Text | None = None


@integrations(
    "AddConnector",
    "connector.added",
    "connector",
    "added connector {entity}",
    begins("active", keeps("connector_type", "endpoint")),
    "3.2",
)
class ConnectorAdded(Details):
    """A link was set up to a system in which certificates live, such as a cloud or a load balancer."""

    connector_type: Code | None = None
    endpoint: Name | None = None


@integrations("ChangeConnector", "connector.changed", "connector", "changed connector {entity}", clause="3.2")
class ConnectorChanged(Details):
    """The settings of a link to such a system were changed."""


@integrations("RemoveConnector", "connector.removed", "connector", "removed connector {entity}", ends("removed"), "3.2")
class ConnectorRemoved(Details):
    """A link to such a system was taken away."""

    reason: Text | None = None


@integrations(
    "SynchronizeConnector",
    "connector.synchronized",
    "connector",
    "synchronized connector {entity}",
    clause="3.2",
)
class ConnectorSynchronized(Details):
    """The inventory took over what had changed in a connected system since the last time."""

    added: Count | None = None
    changed: Count | None = None
    duration_ms: Count | None = None


@integrations("DeliverWebhook", "webhook.delivered", "webhook", "delivered webhook {entity}", clause="3.2")
class WebhookDelivered(Details):
    """Another system was called over HTTP, to be told of something that happened."""

    delivery_id: Identifier | None = None
    url: Name | None = None
    http_status: Count | None = None
    attempts: Count | None = None
