"""The catalogue says everything about each activity, once, and what is stored by it never loses its name."""

import re
from pathlib import Path
from string import Formatter

import pytest
from pydantic import ValidationError

from adapters.documents.catalogue import render
from domain.activity import Activity
from domain.catalogue import CATALOGUE
from domain.words import Module, Status

DOCUMENT = Path(__file__).parents[2] / "docs" / "catalogue.md"

EVENTS: dict[Module, str] = {
    Module.USER_ACTIVITY: """
        UserLoggedIn UserLoggedOut SessionExpired SessionRevoked ResourceAccessed MfaChallenged
        MfaEnrolled MfaReset MfaRemoved PasswordChanged PasswordResetRequested PasswordReset
        AuthenticationMethodChanged AuthenticationMethodUsed AccountLocked AccountUnlocked
        RoleAssumed ImpersonationStarted ImpersonationEnded SsoAssertionReceived
    """,
    Module.CERTIFICATE_OPERATIONS: """
        CertificateRequested CertificateRequestEdited CertificateRequestApproved
        CertificateRequestRejected CertificateRequestCancelled CertificateIssued
        CertificateRenewalRequested CertificateRenewed CertificateRekeyed CertificateReissued
        CertificateEdited CertificateRevocationRequested CertificateRevoked CertificateSuspended
        CertificateReinstated CertificateExpiryNotified CertificateExpired CertificateDownloaded
        CertificateImported CertificateDiscovered CertificateOwnerChanged CertificateTagged
        CertificateArchived PrecertificateSubmitted UnexpectedCertificateDetected CaaChecked
        DomainAdded DomainValidationStarted DomainValidationPerspectiveChecked
        DomainValidationQuorumReached DomainValidated DomainValidationReused DomainRemoved
        OrganizationVerified ProvisioningScheduled ProvisioningStarted CertificateDeployed
        DeploymentVerified DeploymentRolledBack DiscoveryScanRun TrustStoreUpdated
    """,
    Module.CERTIFICATE_AUTHORITY: """
        CertificateAuthorityCreated CertificateAuthorityConfigured CertificateAuthorityRenewed
        CertificateAuthorityActivated CertificateAuthoritySuspended CertificateAuthorityResumed
        CertificateAuthorityRevoked CertificateAuthorityRetired SubordinateAuthorityAdded
        AuthorityHierarchyChanged CrossCertificateIssued CaCertificateIssued CaCertificateRevoked
        CertificateProfileIntroduced CertificateProfileChanged CertificateProfileRetired
        CrlGenerated CrlPublished OcspResponsesSigned OcspResponderChanged CaOperationReported
        CaConnectorCreated CaConnectorChanged CaConnectorActivated CaConnectorDeactivated
        CaConnectorDeleted CaSynchronized KeyCeremonyStarted KeyCeremonyCompleted TrustAnchorAdded
        TrustAnchorRemoved
    """,
    Module.KEY_AUTOMATION: """
        KeyGenerated KeyImported KeyActivated KeyDeactivated KeyBackedUp KeyRecovered KeyArchived
        KeyExported KeyRotated KeyCompromiseReported KeyDestroyed KeyAccessed KeyProfileChanged
        KeyStoreCreated KeyStoreChanged KeyStoreDeleted HsmConnected HsmDisconnected HsmInitialized
        HsmFirmwareUpdated HsmZeroized BotRegistered BotActivated BotDeactivated BotUpgraded
        BotRemoved BotCheckedIn BotCredentialRotated TokenIssued TokenUsed TokenRotated TokenRevoked
        TokenExpired AcmeAccountRegistered AcmeAccountDeactivated EnrollmentSecretIssued
        WorkflowCreated WorkflowChanged WorkflowEnabled WorkflowDisabled WorkflowRunStarted
        WorkflowStepCompleted WorkflowRunCompleted ScheduledJobRun AutomationRuleChanged
    """,
    Module.ADMINISTRATION: """
        UserCreated UserUpdated UserDisabled UserEnabled UserDeleted RoleCreated RoleChanged
        RoleDeleted RoleAssigned RoleUnassigned GroupCreated GroupChanged GroupDeleted
        SettingChanged AuthenticationSettingChanged PolicyCreated PolicyChanged PolicyRetired
        ApprovalWorkflowChanged NotificationRuleChanged NotificationSent IntegrationConnected
        IntegrationChanged IntegrationDisconnected ConnectorAdded ConnectorChanged ConnectorRemoved
        ConnectorSynchronized WebhookDelivered LicenseChanged ServiceStarted ServiceStopped
        ServiceCrashed SoftwareInstalled SoftwareUpdated SoftwareRemoved BackupCompleted
        BackupRestored ClockAdjusted TimeSynchronizationLost TimeSynchronizationRestored
        NetworkDeviceReported FacilityAccessRecorded AuditTrailQueried AuditTrailExported
        AuditTrailVerified AuditTamperingDetected AuditReplayed AuditFeedSubscribed
        AuditCredentialCreated AuditCredentialRevoked AuditSigningKeyRotated AuditProjectionRebuilt
        AuditFindingAcknowledged
    """,
}
"""The topics by which events are stored: names may be added here, never changed or removed."""

SECRET = re.compile(r"password|passphrase|secret|private|credential(?!_(id|name)$)|(^|_)(pin|csr|pem|otp)$")
NOT_SECRET = {"with_private_key"}
"""Says whether a private key was part of a file."""

PERSON = re.compile(
    r"_by$|^impersonated$|e_?mail|phone|(^|_)(ip|user_agent|badge_id)$"
    r"|(approver|requester|reporter|reviewer|participant|custodian|witness|member|recipient|owner|person|escort"
    r"|holder|assignee|operator|officer|full_name|user_name|username)"
)

each_activity = pytest.mark.parametrize("activity", list(CATALOGUE), ids=lambda activity: activity.event_type)


def test_the_events_of_each_module_are_the_pinned_ones() -> None:
    """Each module has exactly the events listed above, in that order."""
    found = {module: [activity.event_type for activity in CATALOGUE if activity.module is module] for module in Module}
    assert found == {module: names.split() for module, names in EVENTS.items()}


@pytest.mark.parametrize("attribute", ["command", "name", "event_type", "description"])
def test_no_two_activities_share_a_name(attribute: str) -> None:
    """Commands, names, event types and descriptions tell activities apart."""
    values = [getattr(activity, attribute) for activity in CATALOGUE]
    assert len(set(values)) == len(values) == len(CATALOGUE)


@each_activity
def test_names_are_well_formed(activity: Activity) -> None:
    """Commands and events are in camel case, activities `noun.past`, entity types in snake case."""
    assert re.fullmatch(r"([A-Z][a-z]+){2,}", activity.command)
    assert re.fullmatch(r"([A-Z][a-z]+){2,}", activity.event_type)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", activity.name)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", activity.entity_type)


@each_activity
def test_the_activity_is_named_after_its_event(activity: Activity) -> None:
    """`DomainValidationPerspectiveChecked` is `domain_validation.perspective_checked`."""
    in_words = re.sub(r"(?<!^)(?=[A-Z])", "_", activity.event_type).lower()
    assert activity.name.replace(".", "_") == in_words


@each_activity
def test_the_activity_is_found_by_each_of_its_names(activity: Activity) -> None:
    """Whatever of its names is known leads to the activity."""
    assert CATALOGUE.of_command(activity.command) is activity
    assert CATALOGUE.named(activity.name) is activity
    assert CATALOGUE.of_type(activity.event_type) is activity


@each_activity
def test_people_are_told_what_it_means(activity: Activity) -> None:
    """The description is a sentence, and the phrase has no other gap than the entity's name."""
    assert re.fullmatch(r"[A-Z].{20,}\.", activity.description)
    gaps = [gap for _, gap, _, _ in Formatter().parse(activity.phrase) if gap is not None]
    assert gaps in ([], ["entity"])
    assert activity.phrase
    assert activity.phrase == activity.phrase.strip().rstrip(".")


@each_activity
def test_a_baseline_clause_is_named(activity: Activity) -> None:
    """The clause is one or more items of section 5.4.1, as `1.5, 2.5`."""
    assert activity.clause is not None
    assert re.fullmatch(r"[1-3]\.[1-8](, [1-3]\.[1-8])*", activity.clause)


@each_activity
def test_states_are_words(activity: Activity) -> None:
    """An effect that begins or ends a life says in which state, in one lower-case word."""
    effect = activity.effect
    assert not (effect.begins and effect.ends)
    assert effect.state is not None or not (effect.begins or effect.ends)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", effect.state or "none")


@each_activity
def test_an_unknown_detail_is_refused(activity: Activity) -> None:
    """A detail that is not declared is an error, whether the action succeeded or not."""
    for status in Status:
        with pytest.raises(ValidationError) as refusal:
            activity.details_for(status).model_validate({"no_such_detail": 1})
        errors = {(error["type"], error["loc"]) for error in refusal.value.errors()}
        assert ("extra_forbidden", ("no_such_detail",)) in errors


@each_activity
def test_a_failure_needs_no_details(activity: Activity) -> None:
    """Who failed may have got to know nothing."""
    assert activity.attempted_details.model_validate({}).model_dump(exclude_unset=True) == {}


@each_activity
def test_no_detail_holds_a_secret(activity: Activity) -> None:
    """No detail is made for a password, a private key or the like."""
    suspects = {name for name in activity.details.model_fields if SECRET.search(name)}
    assert suspects <= NOT_SECRET


@each_activity
def test_who_is_named_is_marked_as_personal(activity: Activity) -> None:
    """A detail that names a person can be kept apart, and so be erased."""
    people = {name for name in activity.details.model_fields if PERSON.search(name)}
    assert people == set(activity.personal_details) - {"filters"}


@each_activity
def test_the_envelope_keeps_its_own_fields(activity: Activity) -> None:
    """What every event carries is not declared again as a detail."""
    assert not {"changes", "actor", "status", "failure", "channel", "occurred_at"} & set(activity.details.model_fields)


@each_activity
def test_every_event_is_of_its_first_version(activity: Activity) -> None:
    """No shape has changed yet; whoever changes one adds its upcast and its test here."""
    assert activity.details.schema_version == 1


def test_the_document_is_up_to_date() -> None:
    """docs/catalogue.md is what `python -m adapters.documents.catalogue` writes."""
    assert DOCUMENT.read_text(encoding="utf-8") == render(CATALOGUE)
