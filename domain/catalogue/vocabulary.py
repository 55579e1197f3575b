"""The words and numbers that other people's standards close, as the catalogue accepts them."""

from typing import Annotated, Literal

from pydantic import Field

from domain.values import Count

CrlReason = Literal[
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "removeFromCRL",
    "privilegeWithdrawn",
    "aACompromise",
]
"""Reason codes of RFC 5280, section 5.3.1."""

DecimalDigits = Annotated[str, Field(pattern=r"^[0-9]{1,49}$")]

CrlNumber = Count | DecimalDigits
"""RFC 5280, section 5.2.3: up to 20 octets, so one that JSON numbers cannot keep comes as decimal digits."""

ApiType = Literal["REST", "ACME", "EST", "SCEP", "CMP"]
"""The interfaces that a token opens."""
