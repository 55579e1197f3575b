"""Rare turns of the system itself: settings, policies, integrations, software, clocks; and the audit of the audit."""

from datetime import timedelta

from adapters.demo.scenes import Scene
from adapters.demo.script import change

_EXPIRY_RULE = ("notification_rule", "nr-expiry", "Expiry in 30 days")
_FOUR_EYES = ("policy", "pol-four-eyes", "Four eyes for people's requests")
_AUTOMATIC = ("policy", "pol-automatic-hosts", "Automatic approval of known hosts")
_OLD_POLICY = ("policy", "pol-sha1", "Exceptions for SHA-1")
_TICKETS = ("integration", "int-tickets", "Ticket system")
_CHAT = ("integration", "int-chat", "Chat room")
_OLD_CONNECTOR = ("connector", "con-old", "Former load balancers")
_ENGINE = ("service", "svc-ca", "Certificate engine")
_CLOCK = ("clock", "clk-hsm-ham-1", "Clock of hsm-ham-1")
_PATCH = ("software", "sw-openssl", "openssl")
_TOOL = ("software", "sw-tcpdump", "tcpdump")
_LEDGER = ("ledger", "default", "default")
_OLD_KEY = ("credential", "cred-trial", "Trial of the audit trail")
_HOST = "ca-engine-1.nordwind.example"

SCENES_OF_SYSTEM = (
    Scene(0, 8.0, "svc-host", "InstallSoftware", ("software", "sw-certinext", "CertiNext"),
          {"version": "9.3.0", "host": _HOST}),
    Scene(0, 8.2, "svc-host", "StartService", _ENGINE, {"version": "9.3.0", "host": _HOST}),
    Scene(1, 15.5, "u-01", "CreatePolicy", _FOUR_EYES, {"policy_type": "approval"}),
    Scene(1, 15.6, "u-01", "CreatePolicy", _AUTOMATIC, {"policy_type": "approval"}),
    Scene(1, 15.7, "u-01", "CreatePolicy", _OLD_POLICY, {"policy_type": "exception"}),
    Scene(1, 16.0, "u-05", "ChangeLicense", ("license", "lic-1", "CertiNext Enterprise"),
          {"edition": "enterprise",
           "expires_at": timedelta(days=365)}, {"changes": [change("/certificates", 500, 5000)]}),
    Scene(2, 9.8, "u-05", "ConnectIntegration", _TICKETS,
          {"product": "Ticket system", "endpoint": "tickets.nordwind.example"}),
    Scene(2, 9.9, "u-05", "ConnectIntegration", _CHAT, {"product": "Chat room", "endpoint": "chat.nordwind.example"}),
    Scene(2, 10.0, "u-05", "AddConnector", ("connector", "con-f5", "Load balancers"),
          {"connector_type": "load_balancer"}),
    Scene(2, 10.2, "u-05", "AddConnector", ("connector", "con-azure", "Azure key vaults"), {"connector_type": "vault"}),
    Scene(2, 10.3, "u-05", "AddConnector", ("connector", "con-cmdb", "Asset register"), {"connector_type": "cmdb"}),
    Scene(2, 10.1, "u-05", "AddConnector", _OLD_CONNECTOR, {"connector_type": "load_balancer"}),
    Scene(3, 15.0, "u-08", "CreateAuditCredential", _OLD_KEY,
          {"role": "auditor", "expires_at": timedelta(days=30), "credential_name": "Trial of the audit trail"}),
    Scene(3, 15.5, "u-08", "SubscribeToAuditFeed", _LEDGER, {"filters": {"status": ["failure"]}, "after": 0}),
    Scene(5, 15.0, "u-05", "ChangeConnector", ("connector", "con-f5", "Load balancers"), {},
          {"changes": [change("/partition", "Common", "nordwind")]}),
    Scene(6, 10.0, "u-05", "ChangeSetting", ("setting", "session.idle_minutes"), {"key": "session.idle_minutes"},
          {"changes": [change("/value", 60, 30)]}),
    Scene(8, 14.0, "u-05", "ChangeAuthenticationSetting", ("setting", "login.lock_after"), {"key": "login.lock_after"},
          {"changes": [change("/value", 10, 5)]}),
    Scene(9, 15.0, "u-01", "ChangeNotificationRule", _EXPIRY_RULE, {},
          {"changes": [change("/days", [30], [30, 14, 7, 1])]}),
    Scene(11, 10.0, "u-01", "ChangeApprovalWorkflow", ("approval_workflow", "aw-portal", "Portal requests"), {},
          {"changes": [change("/steps/0/approvers", "anyone", "team lead")]}),
    Scene(13, 11.0, "u-01", "ChangePolicy", _FOUR_EYES, {},
          {"changes": [change("/requester_may_approve", "yes", "no")]}),
    Scene(15, 10.0, "u-05", "ChangeIntegration", _TICKETS, {}, {"changes": [change("/project", "OPS", "PKI")]}),
    Scene(16, 12.0, "u-01", "RetirePolicy", _OLD_POLICY, {"reason": "no client needs it"}),
    Scene(18, 2.1, "svc-host", "ReportTimeSynchronizationLoss", _CLOCK, {"time_source": "ntp-1", "offset_ms": 840}),
    Scene(18, 3.0, "svc-host", "AdjustClock", _CLOCK, {"offset_ms": -840, "time_source": "ntp-2"}),
    Scene(18, 3.1, "svc-host", "RestoreTimeSynchronization", _CLOCK, {"time_source": "ntp-2", "offset_ms": 1}),
    Scene(20, 11.0, "u-05", "DisconnectIntegration", _CHAT, {"reason": "another chat is used"}),
    Scene(22, 12.0, "u-05", "RemoveConnector", _OLD_CONNECTOR, {"reason": "the machines are gone"}),
    Scene(23, 4.0, "svc-host", "UpdateSoftware", _PATCH,
          {"old_version": "3.5.1", "new_version": "3.5.4", "host": _HOST}),
    Scene(27, 13.2, "svc-host", "ReportServiceCrash", _ENGINE,
          {"error": "out of memory", "exit_code": 137, "host": _HOST}),
    Scene(27, 13.3, "svc-host", "StartService", _ENGINE, {"version": "9.3.0", "host": _HOST}),
    Scene(31, 15.0, "u-09", "ExportAuditTrail", _LEDGER,
          {"filters": {"module": ["certificate_authority"]}, "rows": 612, "format": "xlsx"}),
    Scene(31, 15.5, "u-09", "ReplayAudit", _LEDGER,
          {"entity": "certificate_authority:ca-legacy", "as_of": timedelta(days=-7)}),
    Scene(32, 10.0, "u-08", "RevokeAuditCredential", _OLD_KEY, {"reason": "the trial is over"}),
    Scene(34, 4.0, "svc-host", "StopService", _ENGINE, {"reason": "upgrade to 9.4.0", "host": _HOST}),
    Scene(34, 4.1, "svc-host", "StartService", _ENGINE, {"version": "9.4.0", "host": _HOST}),
    Scene(35, 20.0, "svc-scheduler", "CompleteBackup", ("backup", "bak-drill", "Restore drill"),
          {"destination": "s3://nordwind-backup/drill"}),
    Scene(36, 10.0, "svc-scheduler", "RestoreBackup", ("backup", "bak-drill", "Restore drill"),
          {"taken_at": timedelta(days=-1), "reason": "yearly drill on a spare machine"}),
    Scene(39, 11.0, "svc-host", "InstallSoftware", _TOOL, {"version": "4.99.5", "host": _HOST}),
    Scene(40, 11.0, "svc-host", "RemoveSoftware", _TOOL, {"version": "4.99.5", "host": _HOST}),
    Scene(43, 11.0, "svc-audit", "RebuildAuditProjection", ("projection", "activity", "activity"),
          {"projection": "activity", "to_position": 15_000, "rows": 15_000, "duration_ms": 4_100}),
    Scene(44, 11.0, "u-08", "RotateAuditSigningKey", ("signing_key", "5e" * 32),
          {"public_key": "5e" * 32, "previous_public_key": "a7" * 32}),
    Scene(46, 11.0, "svc-audit", "DetectAuditTampering", ("ledger", "drill", "Restored copy of the drill"),
          {"kind": "edited_event", "position": 4711, "message": "Planted in a restored copy to try the alarm."}),
    Scene(48, 11.0, "u-08", "AcknowledgeAuditFinding", ("finding", "f-locked-accounts", "Accounts locked"),
          {"comment": "Forgotten passwords after the holidays.", "rule": "failed_log_ins"}),
)  # fmt: skip
