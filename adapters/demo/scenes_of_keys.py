"""Rare turns in the life of keys, key stores, hardware, bots, tokens and workflows."""

from datetime import timedelta

from adapters.demo.founding import HARDWARE_STORE, SOFTWARE_STORE
from adapters.demo.people import PEOPLE
from adapters.demo.scenes import Scene
from adapters.demo.script import change
from domain.values import JsonValue

OFFICERS: list[JsonValue] = [PEOPLE["u-02"].full_name, PEOPLE["u-03"].full_name]
SECOND_CEREMONY_ID = "ceremony-2"
"""In it an old key is exported, wrapped, and destroyed, as it should be: nothing to find there."""

_HSM = ("hsm", "hsm-ham-1", "Network HSM Hamburg")
_SPARE = ("hsm", "hsm-ham-0", "Retired HSM Hamburg")
_OLD_KEY = ("key", "k-code-2022", "Code signing 2022")
_APP_KEY = ("key", "k-payroll", "Payroll signatures")
_DEV_KEY = ("key", "k-staging", "Staging signatures")
_OLD_STORE = ("key_store", "ks-vault-old", "Former vault")
_OLD_BOT = ("bot", "bot-legacy", "Legacy script host")
_OLD_TOKEN = ("token", "t-legacy", "Legacy script host (REST)")
_TRIAL_TOKEN = ("token", "t-trial", "Trial of a supplier (REST)")
_OLD_ACCOUNT = ("acme_account", "acme-legacy", "Legacy script host")
_REPORT = ("workflow", "wf-report", "Monthly report")
_CEREMONY = ("key_ceremony", SECOND_CEREMONY_ID, "End of the code signing key of 2022")

SCENES_OF_KEYS = (
    Scene(1, 10.0, "u-03", "ConnectHsm", _HSM,
          {"vendor": "Altus", "model": "KeyVault 7", "serial": "AK7-00931", "firmware": "7.4.1"}),
    Scene(1, 10.3, "u-03", "InitializeHsm", _HSM, {"serial": "AK7-00931", "firmware": "7.4.1", "fips_mode": True}),
    Scene(1, 11.0, "u-03", "CreateKeyStore", ("key_store", HARDWARE_STORE, "HSM partition Hamburg"),
          {"store_type": "hsm", "hsm_id": "hsm-ham-1"}),
    Scene(1, 11.2, "u-03", "CreateKeyStore", ("key_store", SOFTWARE_STORE, "Software store of remote access"),
          {"store_type": "software"}),
    Scene(1, 11.4, "u-03", "CreateKeyStore", _OLD_STORE, {"store_type": "vault"}),
    Scene(3, 10.0, "u-02", "ImportKey", _OLD_KEY,
          {"algorithm": "RSA", "size": 3072, "store_id": HARDWARE_STORE, "exportable": True, "origin": "former vault"}),
    Scene(3, 10.5, "u-02", "ImportKey", _DEV_KEY, {"algorithm": "EC", "size": 256, "exportable": True}),
    Scene(3, 11.0, "u-02", "GenerateKey", _APP_KEY,
          {"algorithm": "EC", "size": 256, "store_id": HARDWARE_STORE, "exportable": False}),
    Scene(3, 11.2, "u-02", "ActivateKey", _APP_KEY, {"purpose": "payroll"}),
    Scene(3, 13.0, "u-16", "RegisterBot", _OLD_BOT, {"host": "old-01.nordwind.example", "version": "3.0.2"}),
    Scene(3, 13.1, "u-16", "ActivateBot", _OLD_BOT),
    Scene(3, 13.2, "u-16", "IssueToken", _OLD_TOKEN,
          {"api_type": "REST", "scopes": ["certificates:read"], "prefix": "cnx_lega"}),
    Scene(3, 13.3, "u-16", "RegisterAcmeAccount", _OLD_ACCOUNT, {"external_account_id": "t-legacy"}),
    Scene(5, 10.0, "u-05", "CreateWorkflow", _REPORT, {"trigger": "first of the month"}),
    Scene(5, 10.1, "u-05", "EnableWorkflow", _REPORT),
    Scene(6, 14.0, "u-16", "IssueToken", _TRIAL_TOKEN,
          {"api_type": "REST", "scopes": ["inventory:read"], "expires_at": timedelta(days=14), "prefix": "cnx_tria"}),
    Scene(9, 11.0, "u-02", "ChangeKeyProfile", ("key_profile", "kp-servers", "Server keys"), {},
          {"changes": [change("/rsa/min_size", 2048, 3072)]}),
    Scene(11, 14.0, "u-05", "ChangeWorkflow", ("workflow", "wf-renewal", "Nightly renewal"), {},
          {"changes": [change("/steps/3/timeout_s", 60, 180)]}),
    Scene(13, 10.0, "u-02", "RotateKey", _APP_KEY, {"new_key_id": "k-payroll-2", "reason": "yearly"}),
    Scene(13, 10.1, "u-02", "ArchiveKey", _APP_KEY,
          {"destination": "safe-ham-2", "retain_until": timedelta(days=3650)}),
    Scene(15, 9.8, "u-05", "ChangeAutomationRule", ("automation_rule", "ar-renew", "Renew before expiry"), {},
          {"changes": [change("/days_before", 30, 10)]}),
    Scene(18, 4.0, "svc-scheduler", "ExpireToken", _TRIAL_TOKEN),
    Scene(20, 13.0, "u-03", "ChangeKeyStore", ("key_store", HARDWARE_STORE, "HSM partition Hamburg"), {},
          {"changes": [change("/quorum", 2, 3)]}),
    Scene(21, 10.0, "u-16", "DeactivateBot", _OLD_BOT, {"reason": "its host is switched off"}),
    Scene(21, 10.1, "u-16", "RevokeToken", _OLD_TOKEN, {"reason": "its bot is gone"}),
    Scene(21, 10.2, "u-16", "DeactivateAcmeAccount", _OLD_ACCOUNT, {"reason": "its bot is gone"}),
    Scene(22, 10.0, "u-16", "RemoveBot", _OLD_BOT, {"reason": "its host is switched off"}),
    Scene(25, 9.7, "u-03", "DisconnectHsm", _HSM, {"reason": "firmware update"}),
    Scene(25, 9.9, "u-03", "UpdateHsmFirmware", _HSM, {"old_version": "7.4.1", "new_version": "7.5.0"}),
    Scene(25, 10.4, "u-03", "ConnectHsm", _HSM, {"firmware": "7.5.0"}),
    Scene(25, 10.6, "u-03", "RecoverKey", _APP_KEY,
          {"custodians": OFFICERS, "store_id": HARDWARE_STORE, "reason": "lost in the firmware update"}),
    Scene(28, 11.0, "u-19", "ReportKeyCompromise", _DEV_KEY,
          {"reporter": "u-19", "evidence": "found in a public repository", "compromised_since": timedelta(days=-3)}),
    Scene(28, 11.5, "u-02", "DeactivateKey", _DEV_KEY, {"reason": "compromised"}),
    Scene(35, 10.0, "u-03", "StartKeyCeremony", _CEREMONY, {"participants": OFFICERS},
          {"correlation_id": SECOND_CEREMONY_ID}),
    Scene(35, 10.2, "u-03", "ExportKey", _OLD_KEY, {"wrapped": True, "destination": "safe-ham-2", "reason": "escrow"},
          {"correlation_id": SECOND_CEREMONY_ID}),
    Scene(35, 10.5, "u-03", "DestroyKey", _OLD_KEY, {"method": "zeroized in the HSM", "witnesses": OFFICERS},
          {"correlation_id": SECOND_CEREMONY_ID}),
    Scene(35, 10.8, "u-03", "CompleteKeyCeremony", _CEREMONY, {"participants": OFFICERS, "key_ids": ["k-code-2022"]},
          {"correlation_id": SECOND_CEREMONY_ID}),
    Scene(38, 11.0, "u-03", "DeleteKeyStore", _OLD_STORE, {"reason": "empty"}),
    Scene(39, 11.0, "u-03", "ZeroizeHsm", _SPARE, {"reason": "returned to the vendor"}),
    Scene(42, 15.0, "u-05", "DisableWorkflow", _REPORT, {"reason": "nobody reads it"}),
    Scene(44, 11.0, "u-02", "ExportKey", ("key", "k-payroll-2", "Payroll signatures"),
          {"wrapped": True}, {"failure": ("not_exportable", "The key may not leave its store.")}),
)  # fmt: skip
