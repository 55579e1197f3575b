"""What bots, tokens, workflows and jobs do day and night."""

from datetime import date, datetime, timedelta

from adapters.demo.enrolments import FIRST_WORKING_DAY
from adapters.demo.machines import BOTS, SERVERS, Bot, service
from adapters.demo.people import PEOPLE
from adapters.demo.script import Script, entity
from domain.values import JsonObject, rfc3339

BOT_VERSIONS = ("4.1.0", "4.2.0")
UPGRADE_DAY = 30
"""The working day on which the bots are brought to the second version."""

OPERATIONS = ("GET /certificates", "GET /profiles", "GET /inventory", "POST /requests")
WORKFLOWS = (
    ("wf-renewal", "Nightly renewal", ("find due certificates", "order", "deploy", "verify")),
    ("wf-compliance", "Policy compliance", ("collect", "compare", "report")),
)
JOBS = (
    ("job-expiry", "Expiry check"),
    ("job-ct", "Transparency log watch"),
    ("job-ocsp", "OCSP pre-signing"),
)
LIMITED = ("rate_limited", "More than 100 calls in a minute.")
HOST_DOWN = ("host_unreachable", "The bot could not reach its host.")
STEP_FAILED = ("step_failed", "A target did not answer; the step is tried once more.")
OUT_OF_SCOPE = ("denied", "The token's scopes do not cover the operation.")


def automation(script: Script) -> None:
    _introduce_bots(script)
    for day in script.days[script.days.index(script.working_days[FIRST_WORKING_DAY]) :]:
        version = BOT_VERSIONS[day > script.working_days[UPGRADE_DAY]]
        for bot in BOTS.values():
            for hour in (6, 18):
                check_in(script, script.moment(day, hour, hour + 1), bot, version)
        for _ in range(script.random.randrange(12, 22) if day.weekday() < 5 else 6):
            call_interface(script, script.moment(day, 5, 21), script.pick([*BOTS.values()]))
        for workflow in WORKFLOWS:
            run_workflow(script, script.moment(day, 1, 3), *workflow)
        for job in JOBS:
            run_job(script, script.moment(day, 0.2, 5), *job)
        _sign_releases(script, day)


def _introduce_bots(script: Script) -> None:
    """A person registers each bot and hands it a token; the bots change theirs once a month."""
    admin = PEOPLE["u-01"]
    for bot in BOTS.values():
        at = script.at_work(script.working_days[2], admin.office, 10, 15)
        details: JsonObject = {"host": bot.host, "version": BOT_VERSIONS[0]}
        script.tell(at, "RegisterBot", script.desk(admin, at), bot.entity, details, channel="portal")
        at += script.seconds(60, 200)
        script.tell(at, "ActivateBot", script.desk(admin, at), bot.entity, channel="portal")
        _hand_out_token(script, at + script.seconds(30, 90), bot)
        for number in (24, 46):
            _change_credentials(script, script.moment(script.working_days[number], 4, 5), bot)
        at = script.moment(script.working_days[UPGRADE_DAY], 8, 16)
        versions: JsonObject = {"old_version": BOT_VERSIONS[0], "new_version": BOT_VERSIONS[1]}
        script.tell(at, "UpgradeBot", bot.acting(), bot.entity, versions, channel="bot")


def _hand_out_token(script: Script, at: datetime, bot: Bot) -> None:
    admin = script.desk(PEOPLE["u-01"], at)
    details: JsonObject = {
        "api_type": bot.api_type,
        "scopes": ["certificates:request", "certificates:read"],
        "expires_at": rfc3339(at + timedelta(days=365)),
        "prefix": bot.token_prefix,
    }
    script.tell(at, "IssueToken", admin, bot.token, details, channel="portal", also_affected=[bot.entity])
    if bot.api_type == "ACME":
        account = entity("acme_account", f"acme-{bot.id.removeprefix('bot-')}", bot.name)
        known: JsonObject = {"key_thumbprint": script.hex(43), "external_account_id": bot.token_id}
        at += script.seconds(100, 900)
        script.tell(at, "RegisterAcmeAccount", bot.acting(), account, known, channel="acme")


def _change_credentials(script: Script, at: datetime, bot: Bot) -> None:
    expires = rfc3339(at + timedelta(days=60))
    rotated: JsonObject = {"credential_id": f"cred-{script.hex(6)}", "expires_at": expires}
    cause = script.tell(at, "RotateBotCredential", bot.acting(), bot.entity, rotated, channel="bot")
    fresh: JsonObject = {"prefix": bot.token_prefix, "expires_at": expires}
    at += script.seconds(1, 9)
    script.tell(at, "RotateToken", bot.acting(), bot.token, fresh, channel="bot", causation_id=cause)


def check_in(script: Script, at: datetime, bot: Bot, version: str = BOT_VERSIONS[-1]) -> None:
    details: JsonObject = {"host": bot.host, "version": version}
    failure = HOST_DOWN if script.chance(0.01) else None
    script.tell(at, "CheckInBot", bot.acting(), bot.entity, details, channel="bot", failure=failure)


def call_interface(script: Script, at: datetime, bot: Bot) -> None:
    operation = script.pick(OPERATIONS)
    details: JsonObject = {"api_type": bot.api_type, "operation": operation, "prefix": bot.token_prefix}
    failure = script.random.choices((None, LIMITED, OUT_OF_SCOPE), (96, 2, 2))[0]
    channel = bot.api_type.lower()
    script.tell(at, "UseToken", bot.acting(), bot.token, details, channel=channel, failure=failure)


def run_workflow(script: Script, at: datetime, id_: str, name: str, steps: tuple[str, ...]) -> None:
    run_id, engine = script.fresh("run"), service("svc-workflow")
    run, workflow = entity("workflow_run", run_id, name), entity("workflow", id_, name)
    details: JsonObject = {"run_id": run_id, "trigger": "schedule", "workflow_id": id_}
    cause = script.tell(at, "StartWorkflowRun", engine, run, details, correlation_id=run_id,
                        channel="scheduler", also_affected=[workflow])  # fmt: skip
    begun = at
    for step in steps:
        took = script.seconds(2, 240)
        at += took
        done: JsonObject = {"step": step, "run_id": run_id, "duration_ms": took // timedelta(milliseconds=1)}
        if script.chance(0.01):
            script.tell(at - took / 2, "CompleteWorkflowStep", engine, run, done, correlation_id=run_id,
                        causation_id=cause, failure=STEP_FAILED)  # fmt: skip
        script.tell(at, "CompleteWorkflowStep", engine, run, done, correlation_id=run_id, causation_id=cause)
    total: JsonObject = {
        "steps": len(steps),
        "duration_ms": (at - begun) // timedelta(milliseconds=1),
        "run_id": run_id,
        "workflow_id": id_,
    }
    at += script.seconds(0.1, 1)
    script.tell(at, "CompleteWorkflowRun", engine, run, total, correlation_id=run_id, causation_id=cause)


def run_job(script: Script, at: datetime, id_: str, name: str) -> None:
    details: JsonObject = {"run_id": script.fresh("run"), "duration_ms": script.random.randrange(200, 90_000)}
    failure = ("overlap", "The previous run had not ended.") if script.chance(0.01) else None
    about = entity("scheduled_job", id_, name)
    script.tell(at, "RunScheduledJob", service("svc-scheduler"), about, details, channel="scheduler",
                failure=failure)  # fmt: skip


def _sign_releases(script: Script, day: date) -> None:
    """Keys are opened by the key service, for a signature that somebody's build asks for."""
    for _ in range(script.random.randrange(0, 4)):
        details: JsonObject = {"operation": "sign", "purpose": "CRL and OCSP responses"}
        script.tell(script.moment(day, 0, 24), "AccessKey", service("svc-hsm"), SERVERS.key, details)
