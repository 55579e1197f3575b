"""Rare turns in the life of certificates that were brought along, and two approvals by the requester."""

from datetime import timedelta

from adapters.demo.scenes import Scene
from adapters.demo.script import change

SELF_APPROVED_REQUEST_IDS = ("r-shortcut-1", "r-shortcut-2")
"""Asked for and approved by u-15, who leads a team and was in a hurry: harmless, and a finding all the same."""

_BROUGHT = tuple(("certificate", f"c-old-{number}", f"old-{number}.nordwind.example") for number in range(1, 7))
_REKEYED, _REISSUED, _HELD, _ASKED, _FETCHED, _DUE = _BROUGHT
_OLD_DOMAIN = ("domain", "d-nordwind-old.example", "nordwind-old.example")
_FOREIGN = ("certificate", "c-foreign", "track-nordwind.example")
_SHORTCUTS = tuple(("certificate_request", id_, "build.nordwind.example") for id_ in SELF_APPROVED_REQUEST_IDS)

SCENES_OF_CERTIFICATES = (
    *(
        Scene(5, 10 + number / 10, "u-02", "ImportCertificate", about,
              {"issuer_dn": "CN=Former CA", "serial": f"77a{number}", "with_private_key": False})
        for number, about in enumerate(_BROUGHT)
    ),
    Scene(1, 13.0, "u-01", "VerifyOrganization", ("organization", "org-nordwind", "Nordwind Logistik SE"),
          {"method": "commercial register", "validation_level": "OV", "valid_until": timedelta(days=398)}),
    Scene(3, 10.0, "u-01", "AddDomain", _OLD_DOMAIN, {"organization_id": "org-nordwind"}),
    Scene(9, 10.0, "u-16", "RekeyCertificate", _REKEYED, {"old_serial": "77a0", "new_serial": "77b0"}),
    Scene(11, 10.0, "u-23", "ReissueCertificate", _REISSUED,
          {"old_serial": "77a1", "new_serial": "77b1", "reason": "a host name was added"}),
    Scene(13, 14.0, "u-29", "SuspendCertificate", _HELD, {"reason": "its host is being examined"}),
    Scene(15, 14.0, "u-29", "ReinstateCertificate", _HELD, {"reason": "nothing was found"}),
    Scene(16, 10.0, "u-18", "RequestCertificateRenewal", _ASKED, {"requester": "u-18"}),
    Scene(17, 15.0, "u-02", "RenewCertificate", _ASKED, {"old_serial": "77a3", "new_serial": "77b3"}),
    Scene(18, 10.0, "u-25", "DownloadCertificate", _FETCHED, {"format": "PKCS12", "with_private_key": True}),
    Scene(19, 10.0, "u-31", "DownloadCertificate", _FETCHED, {"format": "PKCS12", "with_private_key": True},
          {"failure": ("denied", "Private keys are for the owner's team.")}),
    Scene(20, 15.0, "u-26", "RequestCertificateRenewal", _DUE, {"requester": "u-26"},
          {"failure": ("not_renewable", "The certificate's profile is retired.")}),
    Scene(24, 10.0, "u-01", "RemoveDomain", _OLD_DOMAIN, {"reason": "sold"}),
    Scene(29, 6.0, "svc-ctwatch", "DetectUnexpectedCertificate", _FOREIGN,
          {"ct_log": "Aurora 2027h1", "domain": "track-nordwind.example", "issuer_dn": "CN=Lodestar R4",
           "serial": "3c91"}),
    *(
        Scene(day, 15 + step / 10, "u-15", command, about, details, {"correlation_id": f"order-{about[1]}"})
        for day, about in zip((21, 43), _SHORTCUTS, strict=True)
        for step, (command, details) in enumerate((
            ("RequestCertificate", {"product": "Internal TLS", "requester": "u-15"}),
            ("ApproveCertificateRequest", {"approver": "u-15", "step": "team lead", "policy_id": "pol-four-eyes"}),
        ))
    ),
    Scene(50, 10.0, "u-25", "EditCertificate", _FETCHED, {}, {"changes": [change("/note", None, "to be replaced")]}),
)  # fmt: skip
