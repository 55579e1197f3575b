"""Workflows, jobs and rules: the work that CertiNext does by itself, and how it is arranged."""

from domain.activity import Declarations, Details
from domain.effect import adds, becomes, begins, ends, keeps, touches
from domain.values import Count, Identifier, Name, Text
from domain.words import Module

workflows = Declarations(Module.KEY_AUTOMATION)


@workflows(
    "CreateWorkflow",
    "workflow.created",
    "workflow",
    "created workflow {entity}",
    begins("created", keeps("trigger")),
    "3.2",
)
class WorkflowCreated(Details):
    """A series of steps was laid down, to be run on demand, on a schedule or on an event."""

    trigger: Name | None = None


@workflows("ChangeWorkflow", "workflow.changed", "workflow", "changed workflow {entity}", clause="3.2")
class WorkflowChanged(Details):
    """The steps of a workflow, or what sets it off, were changed."""


@workflows("EnableWorkflow", "workflow.enabled", "workflow", "enabled workflow {entity}", becomes("enabled"), "3.2")
class WorkflowEnabled(Details):
    """A workflow was allowed to run."""


@workflows(
    "DisableWorkflow",
    "workflow.disabled",
    "workflow",
    "disabled workflow {entity}",
    becomes("disabled"),
    clause="3.2",
)
class WorkflowDisabled(Details):
    """A workflow was kept from running, its steps left in place."""

    reason: Text | None = None


@workflows(
    "StartWorkflowRun",
    "workflow_run.started",
    "workflow_run",
    "started workflow run {entity}",
    begins("running", keeps("trigger", workflow="workflow_id")),
    clause="3.2",
)
class WorkflowRunStarted(Details):
    """A workflow was set off."""

    run_id: Identifier | None = None
    trigger: Name | None = None
    workflow_id: Identifier | None = None


@workflows(
    "CompleteWorkflowStep",
    "workflow_step.completed",
    "workflow_run",
    "completed a step of workflow run {entity}",
    touches(adds(steps="step")),
    clause="3.2",
)
class WorkflowStepCompleted(Details):
    """One step of a running workflow was done."""

    step: Name
    run_id: Identifier | None = None
    duration_ms: Count | None = None


@workflows(
    "CompleteWorkflowRun",
    "workflow_run.completed",
    "workflow_run",
    "completed workflow run {entity}",
    ends("completed"),
    clause="3.2",
)
class WorkflowRunCompleted(Details):
    """A workflow came to the end of its steps."""

    steps: Count | None = None
    duration_ms: Count | None = None
    run_id: Identifier | None = None
    workflow_id: Identifier | None = None


@workflows("RunScheduledJob", "scheduled_job.run", "scheduled_job", "ran scheduled job {entity}", clause="3.2")
class ScheduledJobRun(Details):
    """A job that is due at set times was carried out."""

    run_id: Identifier | None = None
    duration_ms: Count | None = None


@workflows(
    "ChangeAutomationRule",
    "automation_rule.changed",
    "automation_rule",
    "changed automation rule {entity}",
    clause="3.3",
)
class AutomationRuleChanged(Details):
    """A rule for what CertiNext does by itself, such as when to renew, was added, changed or taken away."""
