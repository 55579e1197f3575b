"""Rare turns in the life of the private authorities, their profiles and their connectors."""

from datetime import timedelta

from adapters.demo.machines import DEVICES, LEGACY, PUBLIC, REMOTE, ROOT, SERVERS
from adapters.demo.scenes import Scene
from adapters.demo.script import change

_LEGACY = ("certificate_authority", LEGACY.id, LEGACY.name)
_SERVERS = ("certificate_authority", SERVERS.id, SERVERS.name)
_DEVICES = ("certificate_authority", DEVICES.id, DEVICES.name)
_TRIAL = ("certificate_authority", "ca-trial", "Nordwind Trial CA")
_POLARIS = ("ca_connector", "cac-polaris", "Polaris Trust")
_WINDOWS = ("ca_connector", "cac-adcs", "Windows authority")
_FORMER = ("ca_connector", "cac-former", "Former supplier")
_OCSP = ("ocsp_responder", f"ocsp-{SERVERS.id}", f"OCSP responder of {SERVERS.name}")
_LEGACY_PROFILE = ("certificate_profile", "p-legacy", "Legacy TLS")
_CROSS = ("certificate", "c-cross-servers", SERVERS.subject)
_ROOT_KEPT = {"serial": "5f2c19d0b7", "issuer_dn": LEGACY.subject, "subject": SERVERS.subject, "ca_id": LEGACY.id}

PROFILES = (
    ("p-public-tls", "Public TLS", PUBLIC.id),
    ("p-internal-tls", "Internal TLS", SERVERS.id),
    ("p-windows", "Windows servers", SERVERS.id),
    ("p-device", "Devices", DEVICES.id),
    ("p-remote", "Remote access", REMOTE.id),
    ("p-legacy", "Legacy TLS", LEGACY.id),
)

SCENES_OF_AUTHORITIES = (
    *(
        Scene(2, 14 + number / 10, "u-02", "IntroduceCertificateProfile", ("certificate_profile", id_, name),
              {"ca_id": ca_id, "profile_version": "1"})
        for number, (id_, name, ca_id) in enumerate(PROFILES)
    ),
    Scene(2, 15.0, "u-02", "CreateCaConnector", _POLARIS,
          {"ca_type": "acme", "endpoint": "https://acme.polaris.example/directory"}),
    Scene(2, 15.1, "u-02", "CreateCaConnector", _WINDOWS, {"ca_type": "adcs", "endpoint": "adcs.nordwind.example"}),
    Scene(2, 15.2, "u-02", "CreateCaConnector", _FORMER, {"ca_type": "est", "endpoint": "https://est.former.example"}),
    Scene(2, 15.3, "u-02", "ActivateCaConnector", _POLARIS),
    Scene(2, 15.4, "u-02", "ActivateCaConnector", _WINDOWS),
    Scene(2, 15.5, "u-02", "ActivateCaConnector", _FORMER),
    Scene(6, 11.0, "u-02", "ChangeCaConnector", _POLARIS, {}, {"changes": [change("/timeout_s", 30, 60)]}),
    Scene(8, 10.0, "u-02", "ConfigureCertificateAuthority", _SERVERS, {},
          {"changes": [change("/crl/validity_hours", 72, 48)]}),
    Scene(10, 10.2, "u-03", "CreateCertificateAuthority", _TRIAL,
          {"ca_type": "issuing", "subject": "CN=Nordwind Trial CA", "parent_ca_id": ROOT.id}),
    Scene(10, 10.4, "u-03", "ActivateCertificateAuthority", _TRIAL),
    Scene(12, 14.0, "u-02", "ChangeCertificateProfile", ("certificate_profile", "p-internal-tls", "Internal TLS"),
          {"profile_version": "2"}, {"changes": [change("/max_validity_days", 398, 365)]}),
    Scene(14, 10.0, "u-02", "DeactivateCaConnector", _FORMER, {"reason": "contract ended"}),
    Scene(16, 10.0, "u-02", "DeleteCaConnector", _FORMER, {"reason": "contract ended"}),
    Scene(18, 13.0, "u-02", "ChangeOcspResponder", _OCSP, {}, {"changes": [change("/nonce", "required", "optional")]}),
    Scene(22, 11.0, "u-03", "IssueCrossCertificate", _CROSS, {**_ROOT_KEPT, "not_after": timedelta(days=730)}),
    Scene(24, 10.0, "u-03", "SuspendCertificateAuthority", _LEGACY, {"reason": "move of the data centre"}),
    Scene(26, 15.0, "u-03", "ResumeCertificateAuthority", _LEGACY, {"reason": "the move is done"}),
    Scene(30, 10.5, "u-03", "RenewCertificateAuthority", _DEVICES,
          {"old_serial": "4a11", "new_serial": "4a12", "not_after": timedelta(days=3650)}),
    Scene(33, 11.0, "u-02", "RetireCertificateAuthority", _TRIAL, {"reason": "the trial is over"}),
    Scene(36, 14.0, "u-03", "ChangeAuthorityHierarchy", _LEGACY, {},
          {"changes": [change("/path_length", 1, 0)]}),
    Scene(40, 10.0, "u-02", "RetireCertificateProfile", _LEGACY_PROFILE, {"reason": "RSA with SHA-1 clients are gone"}),
    Scene(41, 10.0, "u-02", "ConfigureCertificateAuthority", _DEVICES, {},
          {"failure": ("denied", "A second crypto officer has not agreed.")}),
)  # fmt: skip
