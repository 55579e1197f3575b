"""The page's own calls: signing in, counts over time, completions, and the files of the page itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers


def _origin(client: Client) -> dict[str, str]:
    return {"Origin": client.address}


async def _sign_in(client: Client, key: str | None, **headers: str) -> Any:
    """With the key in the body, as the page does it; the client itself shows none."""
    visitor = Client(client.session, client.address, None)
    body = f'{{"key": "{key}"}}'.encode()
    return await visitor.call("POST", "/v1/session", body=body, headers=_origin(client) | headers)


def _cookie(answer: Any) -> str:
    return str(answer.headers["Set-Cookie"].partition(";")[0])


async def _until_refused(client: Client, cookie: str) -> None:
    """The word of a revocation is on its way for a moment."""
    while (await client.call("GET", "/v1/session", headers={"Cookie": cookie})).status == 200:
        pass


class TestASession:
    async def test_is_kept_in_a_cookie_that_no_script_reads_and_no_other_site_sends(self, auditor: Client) -> None:
        answer = await _sign_in(auditor, auditor.key)
        assert answer.status == 200
        assert answer.json["role"] == "auditor"
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("certinext-audit-loopback=")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert auditor.key is not None
        assert auditor.key not in cookie

    async def test_behind_tls_is_in_a_cookie_of_this_host_alone(self, auditor: Client) -> None:
        host = auditor.address.removeprefix("http://")
        answer = await _sign_in(auditor, auditor.key, Origin=f"https://{host}")
        assert answer.headers["Set-Cookie"].startswith("__Host-certinext-audit=")
        assert "; Secure" in answer.headers["Set-Cookie"]

    async def test_reads_what_its_key_reads(self, auditor: Client, nobody: Client) -> None:
        cookie = _cookie(await _sign_in(auditor, auditor.key))
        answer = await nobody.call("GET", "/v1/session", headers={"Cookie": cookie})
        assert (answer.status, answer.json["role"]) == (200, "auditor")
        assert (await nobody.call("GET", "/v1/events", headers={"Cookie": cookie})).status == 200

    async def test_ends_when_its_key_is_revoked(self, callers: Callers, nobody: Client) -> None:
        credential, key = await callers.service.create_key(callers.ledger, Role.AUDITOR)
        cookie = _cookie(await _sign_in(nobody, key))
        assert (await nobody.call("GET", "/v1/session", headers={"Cookie": cookie})).status == 200
        assert await callers.service.revoke_key(credential)
        await asyncio.wait_for(_until_refused(nobody, cookie), 5)
        answer = await nobody.call("GET", "/v1/session", headers={"Cookie": cookie})
        assert (answer.status, answer.kind) == (401, "not-authenticated")

    @pytest.mark.parametrize(
        "spoil", [lambda token: token[:-8], lambda token: "AAAA" + token[4:], lambda _: "x", lambda _: "%"]
    )
    async def test_with_a_damaged_token_is_none(self, auditor: Client, nobody: Client, spoil: Any) -> None:
        name, _, token = _cookie(await _sign_in(auditor, auditor.key)).partition("=")
        answer = await nobody.call("GET", "/v1/session", headers={"Cookie": f"{name}={spoil(token)}"})
        assert (answer.status, answer.kind) == (401, "not-authenticated")

    async def test_is_not_given_to_another_site(self, auditor: Client) -> None:
        answer = await _sign_in(auditor, auditor.key, Origin="https://evil.example")
        assert (answer.status, answer.kind) == (403, "not-permitted")

    @pytest.mark.parametrize("origin", ["null", "", "http://[", "https://evil.example:99999"])
    async def test_is_not_given_to_what_is_no_site(self, auditor: Client, origin: str) -> None:
        answer = await _sign_in(auditor, auditor.key, Origin=origin)
        assert (answer.status, answer.kind) == (403, "not-permitted")

    async def test_is_given_however_the_body_comes(self, auditor: Client, nobody: Client) -> None:
        async def in_pieces() -> AsyncIterator[bytes]:
            for piece in (b'{"key":', b'"', str(auditor.key).encode(), b'"}'):
                yield piece
                await asyncio.sleep(0)

        answer = await nobody.call("POST", "/v1/session", body=in_pieces(), headers=_origin(nobody))
        assert answer.status == 200

    async def test_of_this_machine_is_none_under_another_name(self, auditor: Client, nobody: Client) -> None:
        """What a neighbour's page could plant there counts for nothing."""
        cookie = _cookie(await _sign_in(auditor, auditor.key))
        answer = await nobody.call("GET", "/v1/session", headers={"Cookie": cookie, "Host": "audit.example"})
        assert (answer.status, answer.kind) == (401, "not-authenticated")

    async def test_changes_nothing_for_another_site(self, auditor: Client, nobody: Client) -> None:
        cookie = _cookie(await _sign_in(auditor, auditor.key))
        headers = {"Cookie": cookie, "Origin": "https://evil.example", "Content-Type": "application/json"}
        answer = await nobody.call("POST", "/v1/commands", body=b"{}", headers=headers)
        assert (answer.status, answer.kind) == (403, "not-permitted")
        assert "another" in answer.json["detail"]

    async def test_needs_a_key_that_lives(self, auditor: Client) -> None:
        answer = await _sign_in(auditor, "cna_default_nobody_" + "0" * 64)
        assert (answer.status, answer.kind) == (401, "not-authenticated")

    @pytest.mark.parametrize(
        ("body", "status"),
        [(b"", 400), (b"[]", 400), (b'{"key":1}', 400), (b'{"key":"","y":1}', 400), (b"\xff", 400), (b"x" * 5000, 413)],
    )
    async def test_needs_a_body_that_fits(self, nobody: Client, body: bytes, status: int) -> None:
        answer = await nobody.call("POST", "/v1/session", body=body, headers=_origin(nobody))
        assert answer.status == status
        assert answer.kind in {"invalid-body", "too-large"}

    async def test_is_taken_away_by_signing_out(self, auditor: Client, nobody: Client) -> None:
        cookie = _cookie(await _sign_in(auditor, auditor.key))
        answer = await nobody.call("DELETE", "/v1/session", headers={"Cookie": cookie} | _origin(nobody))
        assert answer.status == 204
        assert "Max-Age=0" in answer.headers["Set-Cookie"]


class TestCountsOverTime:
    async def test_count_each_event_once_by_status(self, module: Client, auditor: Client) -> None:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
        commands: list[Any] = [
            command_data(occurred_at=(start + timedelta(hours=hour)).isoformat().replace("+00:00", "Z"))
            for hour in (0, 0, 1, 5)
        ]
        await auditor.shown((await module.record_all(commands))[-1])
        span = {"from": start.isoformat().replace("+00:00", "Z"), "bars": "24"}
        by_rollup = (await auditor.get("/v1/events/histogram", span | {"status": "success"})).json
        by_event = (await auditor.get("/v1/events/histogram", span | {"user": commands[0]["actor"]["id"]})).json
        assert sum(bar["success"] for bar in by_event["bars"]) == 4
        assert by_event["bars"][0]["success"] >= 2
        assert [bar for bar in by_event["bars"] if bar["success"] > bar["failure"]] == by_event["bars"]
        assert sum(bar["success"] for bar in by_rollup["bars"]) >= 4

    async def test_never_have_more_bars_than_asked_for(self, module: Client, auditor: Client) -> None:
        await auditor.shown(await module.record(command_data()))
        for days in (0.01, 1, 40, 400):
            start = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
            counted = (await auditor.get("/v1/events/histogram", {"from": start, "bars": "10"})).json
            if counted["begin"] is not None:
                span = datetime.fromisoformat(counted["end"]) - datetime.fromisoformat(counted["begin"])
                assert span / timedelta(seconds=counted["seconds"]) <= 10, days

    async def test_of_an_empty_ledger_are_none(self, callers: Callers) -> None:
        auditor = await callers.elsewhere().create(Role.AUDITOR)
        span = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
        counted = (await auditor.get("/v1/events/histogram", span)).json
        assert counted["bars"] == []

    async def test_of_a_user_are_their_own(self, callers: Callers, module: Client, auditor: Client) -> None:
        mine: Any = command_data()
        other: Any = command_data()
        mine["actor"] = {"id": "u-own", "full_name": "Own Self", "kind": "user"}
        other["actor"] = {"id": "u-else", "full_name": "Somebody Else", "kind": "user"}
        await auditor.shown((await module.record_all([mine, other]))[-1])
        user = await callers.create(Role.USER, actor_id="u-own")
        counted = (await user.get("/v1/events/histogram")).json
        assert sum(bar["success"] + bar["failure"] for bar in counted["bars"]) == 1


class TestCompletions:
    @pytest.fixture
    async def known(self, module: Client, auditor: Client) -> Client:
        command: Any = command_data(correlation_id="order-77")
        command["actor"] = {"id": "u-asha", "full_name": "Asha Rao", "kind": "user", "ip": "10.9.8.7"}
        command["entity"]["id"] = "c-4711"
        return await auditor.shown(await module.record(command))

    @pytest.mark.parametrize(
        ("name", "beginning", "value"),
        [
            ("user", "ASHA", "u-asha"),
            ("user", "u-as", "u-asha"),
            ("entity", "certificate:c-47", "certificate:c-4711"),
            ("ip", "10.9", "10.9.8.7"),
            ("correlation_id", "order-7", "order-77"),
        ],
    )
    async def test_are_values_that_occur(self, known: Client, name: str, beginning: str, value: str) -> None:
        answer = await known.get("/v1/suggest", {"filter": name, "beginning": beginning})
        assert value in [one["value"] for one in answer.json["suggestions"]]

    async def test_are_none_for_what_does_not_occur(self, known: Client) -> None:
        for name in ("user", "entity", "source", "ip", "correlation_id"):
            answer = await known.get("/v1/suggest", {"filter": name, "beginning": "zzz:zzz"})
            assert answer.json == {"suggestions": []}

    async def test_of_a_user_are_their_own(self, callers: Callers, known: Client) -> None:
        user = await callers.create(Role.USER, actor_id="u-nobody")
        for name, beginning in (("user", "asha"), ("entity", "certificate:"), ("ip", "10."), ("correlation_id", "")):
            answer = await user.get("/v1/suggest", {"filter": name, "beginning": beginning})
            assert answer.json == {"suggestions": []}, name
        del known

    async def test_are_recorded_as_searches(self, known: Client) -> None:
        await known.get("/v1/suggest", {"filter": "user", "beginning": "ash"})
        # Each search is one position later than the one before, and this one waits for all of them.
        position = (await known.page())["position"] + 2
        page = await known.page({"activity": "audit_trail.queried", "min_position": str(position)})
        assert {"table": "suggest", "user": "ash"} in [event["details"]["filters"] for event in page["events"]]

    async def test_of_an_unknown_filter_are_refused(self, auditor: Client) -> None:
        answer = await auditor.get("/v1/suggest", {"filter": "colour"})
        assert (answer.status, answer.parameters) == (422, ["filter"])


class TestThePage:
    @pytest.mark.parametrize("path", ["/", "/explore", "/event/0190-x", "/entity/certificate/c-1"])
    async def test_is_one_document_under_a_strict_policy(self, nobody: Client, path: str) -> None:
        answer = await nobody.call("GET", path)
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert b"<script>" not in answer.body
        assert b"style=" not in answer.body

    async def test_brings_files_that_may_be_kept(self, nobody: Client) -> None:
        document = (await nobody.call("GET", "/")).body.decode()
        script = document.partition('src="')[2].partition('"')[0]
        answer = await nobody.call("GET", script)
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].startswith("text/javascript")

    @pytest.mark.parametrize("name", ["none.js", "..%2f..%2findex.html", ".gitignore", "%2e%2e"])
    async def test_has_no_other_files(self, nobody: Client, name: str) -> None:
        assert (await nobody.call("GET", f"/assets/{name}")).status == 404
