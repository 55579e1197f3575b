"""How CertiNext is set up: settings, policies, approvals and notifications."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import begins, ends, keeps
from domain.values import PERSONAL, Code, Identifier, Name, Names, Text
from domain.words import Module

settings = Declarations(Module.ADMINISTRATION)


@settings("ChangeSetting", "setting.changed", "setting", "changed setting {entity}", clause="3.3")
class SettingChanged(Details):
    """One setting of the product was given another value."""

    key: Name | None = None


@settings(
    "ChangeAuthenticationSetting",
    "authentication_setting.changed",
    "setting",
    "changed authentication setting {entity}",
    clause="3.3",
)
class AuthenticationSettingChanged(Details):
    """It was changed how people must sign in: password rules, second factors, session times and the like."""

    key: Name | None = None


@settings(
    "CreatePolicy",
    "policy.created",
    "policy",
    "created policy {entity}",
    begins("active", keeps("policy_type")),
    clause="3.3",
)
class PolicyCreated(Details):
    """A rule was laid down that requests, certificates or keys must meet."""

    policy_type: Code | None = None


@settings("ChangePolicy", "policy.changed", "policy", "changed policy {entity}", clause="3.3")
class PolicyChanged(Details):
    """What a policy demands, or to what it applies, was changed."""


@settings("RetirePolicy", "policy.retired", "policy", "retired policy {entity}", ends("retired"), clause="3.3")
class PolicyRetired(Details):
    """A policy was put out of force."""

    reason: Text | None = None


@settings(
    "ChangeApprovalWorkflow",
    "approval_workflow.changed",
    "approval_workflow",
    "changed approval workflow {entity}",
    clause="3.3",
)
class ApprovalWorkflowChanged(Details):
    """It was changed who must approve what, and in how many steps."""


@settings(
    "ChangeNotificationRule",
    "notification_rule.changed",
    "notification_rule",
    "changed notification rule {entity}",
    clause="3.2",
)
class NotificationRuleChanged(Details):
    """It was changed who is told of what, and when."""


@settings(
    "SendNotification",
    "notification.sent",
    "notification",
    "sent notification {entity}",
    clause="3.2",
)
class NotificationSent(Details):
    """People were told of something by e-mail, chat or another way."""

    medium: Code | None = None
    recipients: Annotated[Names | None, PERSONAL] = None
    subject: Name | None = None
    message_id: Identifier | None = None
