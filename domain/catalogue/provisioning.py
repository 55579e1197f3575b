"""Bringing certificates to the machines that use them, and looking for those that are there already."""

from domain.activity import Declarations, Details
from domain.effect import adds, removes, touches
from domain.values import Count, Identifier, Name, Names, Text, Timestamp
from domain.words import Module

provisioning = Declarations(Module.CERTIFICATE_OPERATIONS)


@provisioning(
    "ScheduleProvisioning",
    "provisioning.scheduled",
    "certificate",
    "scheduled the provisioning of {entity}",
    clause="3.2",
)
class ProvisioningScheduled(Details):
    """A time was set at which a certificate is to be brought to its target."""

    target: Name | None = None
    scheduled_for: Timestamp | None = None
    bot_id: Identifier | None = None


@provisioning(
    "StartProvisioning",
    "provisioning.started",
    "certificate",
    "started the provisioning of {entity}",
    clause="3.2",
)
class ProvisioningStarted(Details):
    """The work of bringing a certificate to its target began."""

    target: Name | None = None
    bot_id: Identifier | None = None


@provisioning(
    "DeployCertificate",
    "certificate.deployed",
    "certificate",
    "deployed {entity}",
    touches(adds(deployments="target", deployed_by="bot_id")),
    clause="3.2",
)
class CertificateDeployed(Details):
    """A certificate was installed on the server, device or service that is to use it."""

    target: Name | None = None
    bot_id: Identifier | None = None
    replaced_serial: Identifier | None = None


@provisioning(
    "VerifyDeployment",
    "deployment.verified",
    "certificate",
    "verified the deployment of {entity}",
    clause="3.2",
)
class DeploymentVerified(Details):
    """The target was seen to serve the certificate that was installed on it."""

    target: Name | None = None
    bot_id: Identifier | None = None


@provisioning(
    "RollBackDeployment",
    "deployment.rolled_back",
    "certificate",
    "rolled back the deployment of {entity}",
    touches(removes(deployments="target")),
    clause="3.2",
)
class DeploymentRolledBack(Details):
    """A target was given back the certificate that it had before."""

    reason: Text | None = None
    target: Name | None = None
    bot_id: Identifier | None = None
    restored_serial: Identifier | None = None


@provisioning("RunDiscoveryScan", "discovery_scan.run", "discovery_scan", "ran discovery scan {entity}", clause="3.2")
class DiscoveryScanRun(Details):
    """Networks, hosts or clouds were searched for certificates in use."""

    targets: Names | Count | None = None
    found: Count | None = None
    new: Count | None = None
    bot_id: Identifier | None = None
    duration_ms: Count | None = None


@provisioning("UpdateTrustStore", "trust_store.updated", "trust_store", "updated trust store {entity}", clause="3.2")
class TrustStoreUpdated(Details):
    """The authorities that a machine trusts were changed."""

    target: Name | None = None
    added: Count | None = None
    removed: Count | None = None
