"""The machines under CertiNext: services, software, backups, clocks, networks and rooms."""

from typing import Annotated, Literal

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, keeps, touches
from domain.values import PERSONAL, Code, Count, Identifier, Integer, Name, Sha256, Text, Timestamp
from domain.words import Module

system = Declarations(Module.ADMINISTRATION)


@system(
    "ChangeLicense",
    "license.changed",
    "license",
    "changed license {entity}",
    touches(keeps("edition", "expires_at")),
    clause="3.2",
)
class LicenseChanged(Details):
    """The licence that says what of the product may be used, and for how long, was replaced or changed."""

    edition: Name | None = None
    expires_at: Timestamp | None = None


@system(
    "StartService",
    "service.started",
    "service",
    "started service {entity}",
    becomes("running", keeps("version", "host")),
    clause="3.2",
)
class ServiceStarted(Details):
    """A service of CertiNext came up, its audit logging with it."""

    version: Name | None = None
    host: Name | None = None


@system("StopService", "service.stopped", "service", "stopped service {entity}", becomes("stopped"), clause="3.2")
class ServiceStopped(Details):
    """A service of CertiNext was shut down in good order."""

    reason: Text | None = None
    host: Name | None = None


@system(
    "ReportServiceCrash",
    "service.crashed",
    "service",
    "reported that service {entity} crashed",
    becomes("crashed"),
    clause="3.5",
)
class ServiceCrashed(Details):
    """A service of CertiNext ended without having been told to."""

    error: Text | None = None
    exit_code: Integer | None = None
    host: Name | None = None


@system(
    "InstallSoftware",
    "software.installed",
    "software",
    "installed {entity}",
    becomes("installed", keeps("version", "host", "sha256")),
    clause="3.4",
)
class SoftwareInstalled(Details):
    """A program was put on a machine of the certificate system."""

    version: Name | None = None
    host: Name | None = None
    sha256: Sha256 | None = None


@system(
    "UpdateSoftware",
    "software.updated",
    "software",
    "updated {entity}",
    becomes("installed", keeps("host", "sha256", version="new_version")),
    clause="3.4",
)
class SoftwareUpdated(Details):
    """A program on a machine of the certificate system was replaced by another version."""

    old_version: Name | None = None
    new_version: Name | None = None
    host: Name | None = None
    sha256: Sha256 | None = None


@system("RemoveSoftware", "software.removed", "software", "removed {entity}", becomes("removed"), clause="3.4")
class SoftwareRemoved(Details):
    """A program was taken off a machine of the certificate system."""

    version: Name | None = None
    host: Name | None = None


@system(
    "CompleteBackup",
    "backup.completed",
    "backup",
    "completed backup {entity}",
    begins("completed", keeps("size_bytes", "sha256", "destination")),
    "3.2",
)
class BackupCompleted(Details):
    """A copy of CertiNext's data was made from which it can be restored."""

    size_bytes: Count | None = None
    sha256: Sha256 | None = None
    destination: Name | None = None


@system("RestoreBackup", "backup.restored", "backup", "restored backup {entity}", clause="3.2")
class BackupRestored(Details):
    """CertiNext's data was put back to what a backup held."""

    taken_at: Timestamp | None = None
    reason: Text | None = None


@system("AdjustClock", "clock.adjusted", "clock", "adjusted clock {entity}", clause="3.5")
class ClockAdjusted(Details):
    """A machine's clock was moved, forward by the milliseconds given or back if they are negative."""

    offset_ms: Integer | None = None
    time_source: Name | None = None


@system(
    "ReportTimeSynchronizationLoss",
    "time_synchronization.lost",
    "clock",
    "reported that clock {entity} is out of step",
    becomes("unsynchronized"),
    clause="3.5",
)
class TimeSynchronizationLost(Details):
    """A machine's clock could no longer be kept in step with its time sources, so its times are in doubt."""

    time_source: Name | None = None
    offset_ms: Integer | None = None


@system(
    "RestoreTimeSynchronization",
    "time_synchronization.restored",
    "clock",
    "brought clock {entity} back in step",
    becomes("synchronized"),
    clause="3.5",
)
class TimeSynchronizationRestored(Details):
    """A machine's clock was in step with its time sources again."""

    time_source: Name | None = None
    offset_ms: Integer | None = None


@system(
    "ReportNetworkDevice",
    "network_device.reported",
    "network_device",
    "reported activity of network device {entity}",
    clause="3.6",
)
class NetworkDeviceReported(Details):
    """A router or firewall reported traffic let through or refused, a log-in, or a change of its rules."""

    activity: Name | None = None
    rule: Name | None = None
    severity: Code | None = None
    message: Text | None = None


@system(
    "RecordFacilityAccess",
    "facility_access.recorded",
    "facility",
    "recorded an entry to or exit from {entity}",
    clause="3.7",
)
class FacilityAccessRecorded(Details):
    """Somebody entered or left a room in which the authority's machines stand."""

    direction: Literal["entry", "exit"] | None = None
    person: Annotated[Name | None, PERSONAL] = None
    escort: Annotated[Name | None, PERSONAL] = None
    badge_id: Annotated[Identifier | None, PERSONAL] = None
    door: Name | None = None
