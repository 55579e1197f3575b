"""The catalogue of activities, a file for each family of them; docs/catalogue.md is made from it."""

from itertools import chain

from domain.activity import Catalogue
from domain.catalogue.accounts import accounts
from domain.catalogue.audit import audit
from domain.catalogue.authentication import authentication
from domain.catalogue.authorities import authorities
from domain.catalogue.bots import bots
from domain.catalogue.ca_connectors import ca_connectors
from domain.catalogue.certificates import certificates
from domain.catalogue.integrations import integrations
from domain.catalogue.inventory import inventory
from domain.catalogue.key_ceremonies import key_ceremonies
from domain.catalogue.key_stores import key_stores
from domain.catalogue.keys import keys
from domain.catalogue.people import people
from domain.catalogue.profiles import profiles
from domain.catalogue.provisioning import provisioning
from domain.catalogue.requests import requests
from domain.catalogue.revocation_status import revocation_status
from domain.catalogue.settings import settings
from domain.catalogue.sign_in import sign_in
from domain.catalogue.system import system
from domain.catalogue.tokens import tokens
from domain.catalogue.transparency import transparency
from domain.catalogue.trust_anchors import trust_anchors
from domain.catalogue.validation import validation
from domain.catalogue.workflows import workflows

_USER_ACTIVITY = (sign_in, authentication, accounts)
_CERTIFICATE_OPERATIONS = (requests, certificates, inventory, transparency, validation, provisioning)
_CERTIFICATE_AUTHORITY = (
    authorities,
    profiles,
    revocation_status,
    ca_connectors,
    key_ceremonies,
    trust_anchors,
)
_KEY_AUTOMATION = (keys, key_stores, bots, tokens, workflows)
_ADMINISTRATION = (people, settings, integrations, system, audit)

CATALOGUE = Catalogue(
    chain.from_iterable(
        declarations.activities
        for declarations in (
            *_USER_ACTIVITY,
            *_CERTIFICATE_OPERATIONS,
            *_CERTIFICATE_AUTHORITY,
            *_KEY_AUTOMATION,
            *_ADMINISTRATION,
        )
    )
)
"""Every activity, once."""
