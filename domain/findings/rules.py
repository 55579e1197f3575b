"""All rules."""

from collections.abc import Sequence
from hashlib import sha256

from domain.findings.approvals import IssuedWithoutApproval, RequestApprovedByRequester
from domain.findings.clocks import ClockSkew
from domain.findings.closed import UseOfClosedAccess
from domain.findings.finding import Rule
from domain.findings.hours import OffHoursAdministration
from domain.findings.keys import KeyOutsideCeremony
from domain.findings.lifecycle import StepCannotFollow
from domain.findings.log_ins import ManyFailedLogIns
from domain.findings.thresholds import Thresholds


def rules(thresholds: Thresholds) -> Sequence[Rule]:
    return (
        RequestApprovedByRequester(),
        IssuedWithoutApproval(),
        StepCannotFollow(),
        ManyFailedLogIns(thresholds),
        KeyOutsideCeremony(),
        UseOfClosedAccess(),
        OffHoursAdministration(thresholds),
        ClockSkew(thresholds),
    )


RULES = rules(Thresholds())


def fingerprint(judged_by: Sequence[Rule], thresholds: Thresholds) -> str:
    """Of what is judged and from where on: another one asks for all of history to be judged again."""
    said = repr([(rule.name, rule.version) for rule in judged_by] + [thresholds])
    return sha256(said.encode()).hexdigest()[:16]
