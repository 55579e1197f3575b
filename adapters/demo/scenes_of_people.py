"""Rare turns in the life of accounts, roles and groups."""

from datetime import timedelta

from adapters.demo.people import PEOPLE
from adapters.demo.scenes import Scene
from adapters.demo.script import change


def _user(id_: str) -> tuple[str, str, str]:
    return "user", id_, PEOPLE[id_].full_name


_CONTRACTORS = ("group", "g-contractors", "Contractors")
_PILOT = ("group", "g-pilot", "Pilot users")
_REGISTRAR = ("role", "role-registrar", "Registrar")
_OBSERVER = ("role", "role-observer", "Observer")
_OFFICER = ("role", "role-crypto-officer", "Crypto officer")
_NEWCOMER = ("user", "u-42", "Nuno Évora")

SCENES_OF_PEOPLE = (
    Scene(1, 13.5, "u-01", "CreateRole", _OFFICER, {"permissions": ["keys:use", "authorities:administer"]}),
    Scene(1, 14.0, "u-01", "CreateRole", _REGISTRAR, {"permissions": ["requests:approve", "organizations:verify"]}),
    Scene(1, 14.1, "u-01", "CreateRole", _OBSERVER, {"permissions": ["inventory:read"]}),
    Scene(1, 14.3, "u-01", "CreateGroup", _CONTRACTORS, {"members": ["u-36", "u-39"]}),
    Scene(1, 14.4, "u-01", "CreateGroup", _PILOT, {"members": ["u-15", "u-16"]}),
    Scene(4, 11.0, "u-01", "AssignRole", _user("u-23"), {"role": "registrar", "expires_at": timedelta(days=180)}),
    Scene(7, 10.0, "u-18", "ChangePassword", _user("u-18")),
    Scene(7, 15.0, "u-21", "ChangePassword", _user("u-21"), {},
          {"failure": ("reused", "The password was used before.")}),
    Scene(7, 15.1, "u-21", "ChangePassword", _user("u-21")),
    Scene(8, 11.0, "u-13", "ResetMfa", _user("u-30"), {"factor": "webauthn", "reason": "a new telephone, ticket 1870"}),
    Scene(8, 11.2, "u-30", "EnrollMfa", _user("u-30"), {"factor": "webauthn"}),
    Scene(10, 14.0, "u-12", "StartImpersonation", _user("u-36"),
          {"impersonated": PEOPLE["u-36"].full_name, "ticket": "1893"}),
    Scene(10, 14.3, "u-12", "EndImpersonation", _user("u-36"),
          {"impersonated": PEOPLE["u-36"].full_name, "ticket": "1893"}),
    Scene(12, 11.0, "u-28", "ChangeAuthenticationMethod", _user("u-28"), {},
          {"changes": [change("/method", "password", "passkey")]}),
    Scene(14, 10.0, "u-20", "RemoveMfa", _user("u-20"), {"factor": "totp", "reason": "a passkey is enough"}),
    Scene(17, 11.0, "u-01", "ChangeRole", _REGISTRAR, {}, {"changes": [change("/permissions/2", None, "domains:add")]}),
    Scene(17, 11.5, "u-35", "AssumeRole", _OFFICER,
          {"role": "crypto_officer"}, {"failure": ("denied", "Not a member of the PKI team.")}),
    Scene(19, 13.0, "u-01", "ChangeGroup", _CONTRACTORS, {"members_added": ["u-37"], "members_removed": ["u-36"]}),
    Scene(21, 15.0, "u-07", "RevokeSession", ("session", "s-lost-notebook", "Session on a lost notebook"),
          {"revoked_by": "u-07", "reason": "the notebook was left on a train"}),
    Scene(23, 10.0, "u-01", "UpdateUser", _user("u-24"), {}, {"changes": [change("/team", "web", "platform")]}),
    Scene(26, 11.0, "u-01", "DisableUser", _user("u-39"), {"reason": "parental leave"}),
    Scene(27, 11.0, "u-01", "CreateUser", _NEWCOMER, {"email": "n.evora@nordwind.example", "roles": ["viewer"]}),
    Scene(29, 11.0, "u-01", "DeleteUser", _NEWCOMER, {"reason": "did not take up the post"}),
    Scene(32, 16.0, "u-01", "DisableUser", _user("u-38"), {"reason": "leaves the company"}),
    Scene(33, 11.0, "u-01", "UnassignRole", _user("u-38"), {"role": "viewer", "scope": "finance"}),
    Scene(34, 12.0, "u-01", "DeleteRole", _OBSERVER),
    Scene(34, 12.2, "u-01", "DeleteGroup", _PILOT),
    Scene(37, 15.0, "u-01", "DeleteUser", _user("u-38"), {"reason": "left the company"}),
    Scene(45, 11.0, "u-01", "EnableUser", _user("u-39"), {"reason": "is back from parental leave"}),
    Scene(47, 11.0, "u-16", "AssignRole", _user("u-16"), {"role": "pki_admin"},
          {"failure": ("denied", "Only an administrator assigns roles.")}),
)  # fmt: skip
LEAVERS = {"u-38": 32, "u-39": 26}
"""The working day from which on a person of this id no longer signs in."""
