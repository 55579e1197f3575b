"""Live traffic: the everyday stories of the estate, several at once, as they would go on now."""

from collections import deque
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from adapters.demo.automation import JOBS, WORKFLOWS, call_interface, check_in, run_job, run_workflow
from adapters.demo.enrolments import by_acme, by_device
from adapters.demo.machines import ACME_BOTS, APPLICATIONS, BOTS, DEVICE_BOTS, DOMAINS, SERVERS
from adapters.demo.operations import network_device, notification, webhook
from adapters.demo.people import PEOPLE
from adapters.demo.revocation_status import ocsp_responses
from adapters.demo.scenes_of_people import LEAVERS
from adapters.demo.script import Script
from adapters.demo.sign_ins import a_day_at_work
from domain.values import JsonObject, rfc3339

STORIES_AT_ONCE = 5
LONGEST_STORY = timedelta(days=1)
"""What a story tells of later than that (an expiry) does not happen while one watches."""

CLOSED_ACCOUNTS = {*LEAVERS, "u-05"}


class Traffic:
    """Commands without end. Each story's are in its order, and stories interleave."""

    def __init__(self, seed: int) -> None:
        epoch = datetime(2000, 1, 1, tzinfo=UTC)
        self._script = Script(epoch, epoch, seed, label=f"{uuid4().hex[:6]}-")
        self._stories: list[deque[JsonObject]] = []
        self._present = [person for person in PEOPLE.values() if person.id not in CLOSED_ACCOUNTS]

    def next_command(self, now: datetime) -> JsonObject:
        """What happens next, at `now`, with an id of its own."""
        while len(self._stories) < STORIES_AT_ONCE:
            self._stories.append(self._begin(now))
        story = self._script.pick(self._stories)
        command = story.popleft()
        if not story:
            self._stories.remove(story)
        return {**command, "occurred_at": rfc3339(now)}

    def _begin(self, now: datetime) -> deque[JsonObject]:
        script = self._script
        script.open(now - timedelta(hours=1), now + LONGEST_STORY)
        self._tell(script, now)
        return deque(_with_ids_of_their_own(script.in_order()))

    def _tell(self, script: Script, now: datetime) -> None:
        stories = (
            lambda: a_day_at_work(script, now, script.pick(self._present)),
            lambda: by_acme(script, now, *_some_host(script), script.pick(ACME_BOTS), None),
            lambda: by_device(script, now, script.pick(DEVICE_BOTS)),
            lambda: check_in(script, now, script.pick([*BOTS.values()])),
            lambda: call_interface(script, now, script.pick([*BOTS.values()])),
            lambda: run_workflow(script, now, *script.pick(WORKFLOWS)),
            lambda: run_job(script, now, *script.pick(JOBS)),
            lambda: ocsp_responses(script, now, SERVERS),
            lambda: notification(script, now),
            lambda: webhook(script, now),
            lambda: network_device(script, now),
        )
        script.random.choices(stories, (24, 16, 8, 14, 14, 4, 4, 3, 5, 6, 2))[0]()


def _some_host(script: Script) -> tuple[str, str]:
    domain = script.pick(DOMAINS)
    return f"{script.pick(APPLICATIONS)}-{script.random.randrange(100, 1000)}.{domain}", domain


def _with_ids_of_their_own(commands: list[JsonObject]) -> list[JsonObject]:
    ids = {str(command["command_id"]): str(uuid4()) for command in commands}
    renamed: list[JsonObject] = []
    for command in commands:
        told: JsonObject = {**command, "command_id": ids[str(command["command_id"])]}
        if "causation_id" in told:
            told["causation_id"] = ids[str(told["causation_id"])]
        renamed.append(told)
    return renamed
