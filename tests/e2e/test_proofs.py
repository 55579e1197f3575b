"""From a receipt to its proof, over HTTP: verified by our functions and by an implementation that is not ours."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from application import signing_rounds
from application.signing_rounds import SigningRounds
from domain.checkpoint import open_checkpoint
from domain.merkle import verify_consistency, verify_inclusion
from domain.signed_note import VerifierKey
from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Answer, Client
from tests.e2e.conftest import Callers
from tests.e2e.running import Service, running
from tests.patience import PATIENCE

UNKNOWN = "0198c0de-0000-7000-8000-000000000000"


async def covered(auditor: Client, position: int) -> str:
    """The first checkpoint that covers a position."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await auditor.get("/v1/checkpoints/latest")
            if answer.status == 200 and int(answer.body.split(b"\n")[1]) >= position:
                return answer.body.decode()
            await asyncio.sleep(0.02)


async def verifier_key(callers: Callers) -> str:
    nobody = callers.with_key(None)
    answer = await nobody.get("/.well-known/certinext-audit/keys", {"ledger": callers.ledger})
    assert answer.status == 200, answer.body
    return str(answer.json["keys"][-1]["verifier_key"])


async def test_a_receipt_becomes_provable(callers: Callers, module: Client, auditor: Client) -> None:
    """Its leaf is in the tree of the checkpoint that comes with the proof, and the record hashes to the leaf."""
    receipts = await module.record_all(command_data() for _ in range(300))
    await covered(auditor, receipts[-1]["position"])
    key = await verifier_key(callers)
    for receipt in (receipts[0], receipts[150], receipts[-1]):
        answer = await auditor.get(f"/v1/events/{receipt['event_id']}/proof", {"min_position": "1"})
        assert answer.status == 200, answer.body
        proof = answer.json
        assert {name: proof[name] for name in ("event_id", "ledger", "position", "leaf_hash")} == {
            name: receipt[name] for name in ("event_id", "ledger", "position", "leaf_hash")
        }
        leaf, path = bytes.fromhex(proof["leaf_hash"]), [bytes.fromhex(hash_) for hash_ in proof["path"]]
        checkpoint, _ = open_checkpoint(proof["checkpoint"], [VerifierKey.parse(key)])
        assert checkpoint.origin == f"certinext-audit/{callers.ledger}"
        assert (proof["index"], proof["size"]) == (receipt["position"] - 1, checkpoint.size)
        verify_inclusion(leaf, proof["index"], checkpoint.size, path, checkpoint.root)

        theirs = TheirCheckpoint.from_text(proof["checkpoint"])
        theirs.verify(Vkey.from_string(key))
        InclusionProof(proof["index"], theirs.size, path).check(leaf, theirs.root_hash)
        record = (await auditor.get(f"/v1/events/{receipt['event_id']}")).json["record"]
        assert sha256(b"\x00" + record.encode()).digest() == leaf

        same = await auditor.get(f"/v1/proofs/{receipt['position']}")
        assert same.json["leaf_hash"] == proof["leaf_hash"]


async def test_one_checkpoint_continues_another(callers: Callers, module: Client, auditor: Client) -> None:
    """Any two of them, and each is still there under its size."""
    notes = []
    for _ in range(2):
        receipts = await module.record_all(command_data() for _ in range(100))
        notes.append(await covered(auditor, receipts[-1]["position"]))
    key = await verifier_key(callers)
    first, second = (open_checkpoint(note, [VerifierKey.parse(key)])[0] for note in notes)
    answer = await auditor.get("/v1/checkpoints/consistency", {"from": str(first.size), "to": str(second.size)})
    assert {name: answer.json[name] for name in ("ledger", "from", "to")} == {
        "ledger": callers.ledger,
        "from": first.size,
        "to": second.size,
    }
    path = [bytes.fromhex(hash_) for hash_ in answer.json["path"]]
    verify_consistency(first.size, second.size, path, first.root, second.root)
    ConsistencyProof(first.size, second.size, path).check(first.root, second.root)
    for note, checkpoint in zip(notes, (first, second), strict=True):
        kept = await auditor.get(f"/v1/checkpoints/{checkpoint.size}")
        assert kept.body.decode() == note
        assert kept.headers["Content-Type"] == "text/plain; charset=utf-8"
    to_latest = await auditor.get("/v1/checkpoints/consistency", {"from": "1"})
    assert to_latest.json["to"] >= second.size
    same = await auditor.get("/v1/checkpoints/consistency", {"from": str(first.size), "to": str(first.size)})
    assert same.json["path"] == []


async def test_keys_are_public_and_of_one_ledger(callers: Callers, module: Client, auditor: Client) -> None:
    """Nobody needs a key to read keys, and nobody learns what ledgers there are."""
    nobody = callers.with_key(None)
    await covered(auditor, (await module.record(command_data()))["position"])
    [key] = (await nobody.get("/.well-known/certinext-audit/keys", {"ledger": callers.ledger})).json["keys"]
    parsed = VerifierKey.parse(key["verifier_key"])
    assert key["name"] == parsed.name == f"certinext-audit/{callers.ledger}"
    assert (key["key_id"], key["public_key"]) == (parsed.key_id.hex(), parsed.public_key.hex())
    assert (key["algorithm"], key["current"]) == ("Ed25519", True)
    assert key["first_used_at"] <= key["last_used_at"]
    [unused] = (await nobody.get("/.well-known/certinext-audit/keys", {"ledger": "nobody-uses-it"})).json["keys"]
    assert unused["public_key"] == key["public_key"]
    assert (unused["first_used_at"], unused["last_used_at"]) == (None, None)
    [default] = (await nobody.get("/.well-known/certinext-audit/keys")).json["keys"]
    assert default["name"] == "certinext-audit/default"


NOT_SIGNED = ("latest", "1", "consistency?from=1")


@pytest.fixture
def unsigned(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that signs nothing of its own accord."""
    monkeypatch.setattr(signing_rounds, "SECONDS", 3600.0)
    with monkeypatch.context() as patched:
        patched.setattr(SigningRounds, "_round", _nothing)
        with running(database_url) as service:
            patched.undo()
            yield service


async def _nothing(_rounds: SigningRounds, *, everything: bool) -> bool:  # noqa: ARG001  # As the real one.
    return True


async def test_an_event_that_no_checkpoint_covers_is_told(unsigned: Service, session: ClientSession) -> None:
    """First that there is no checkpoint at all, then up to where the latest goes; and when to ask again."""
    callers = Callers(unsigned, session)
    module, auditor = await callers.create(Role.MODULE), await callers.create(Role.AUDITOR)
    receipt = await module.record(command_data())
    signed = receipt["position"]
    proof = await auditor.get(f"/v1/events/{receipt['event_id']}/proof", {"min_position": str(signed)})
    assert (proof.status, proof.kind, proof.headers["Retry-After"]) == (503, "not-covered", "1")
    assert proof.json["detail"] == f"position {signed} is not covered by a checkpoint yet: none has been signed"
    for path in NOT_SIGNED:
        answer = await auditor.call("GET", f"/v1/checkpoints/{path}")
        assert (answer.status, answer.kind) == (404, "not-signed")
        assert f"no checkpoint of the ledger {callers.ledger} has been signed yet" in answer.json["detail"]
    await unsigned.run(unsigned.trail.background.signing.finish())
    assert (await auditor.get(f"/v1/events/{receipt['event_id']}/proof")).json["size"] == signed
    late = await module.record(command_data())
    position = late["position"]
    for path in (f"/v1/events/{late['event_id']}/proof?min_position={position}", f"/v1/proofs/{position}"):
        answer = await auditor.call("GET", path)
        assert (answer.status, answer.kind) == (503, "not-covered")
        told = f"position {position} is not covered by a checkpoint yet: the latest is of size {signed}"
        assert answer.json["detail"] == told
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("from=0", "from", "greater than or equal to 1"),
        ("from=-1", "from", "greater than or equal to 1"),
        ("from=x", "from", "valid integer"),
        ("", "from", "required"),
        ("from=2&to=1", "from", "2 is more than `to`, which is 1"),
        ("from=1&to=99999999", "to", "99999999 is more than"),
        ("from=99999999", "from", "99999999 is more than"),
        (f"from={2**64}", "from", "less than or equal"),
        ("from=1&from=2", "from", "once only"),
        ("from=1&size=2", "size", "is no parameter"),
    ],
)
async def test_sizes_that_do_not_fit_are_named(
    module: Client, auditor: Client, query: str, parameter: str, words: str
) -> None:
    """Each with what is wrong about it."""
    await covered(auditor, (await module.record_all(command_data() for _ in range(3)))[-1]["position"])
    answer = await auditor.call("GET", f"/v1/checkpoints/consistency?{query}")
    assert (answer.status, answer.kind) == (422, "invalid-query")
    assert set(answer.parameters) == {parameter}
    assert any(words in error["detail"] for error in answer.json["errors"])


async def test_a_size_that_was_not_signed_is_not_found(module: Client, auditor: Client) -> None:
    """With the sizes next to it, and of a future one up to where it goes."""
    receipts = await module.record_all(command_data() for _ in range(9))
    await covered(auditor, receipts[-1]["position"])
    wanted = 1
    while (await auditor.get(f"/v1/checkpoints/{wanted}")).status == 200:
        wanted += 1
    answer = await auditor.get(f"/v1/checkpoints/{wanted}")
    assert (answer.status, answer.kind) == (404, "not-signed")
    assert f"no checkpoint of size {wanted} was signed; those next to it are of size" in answer.json["detail"]
    future = await auditor.get("/v1/checkpoints/999999999999")
    assert (future.status, future.kind) == (404, "not-signed")
    assert "was signed yet: the latest is of size" in future.json["detail"]
    for nonsense in ("0", "-1", "01", "x", "1.5", "%D9%A5", "9" * 17, "latest "):
        answer = await auditor.call("GET", f"/v1/checkpoints/{quote(nonsense, safe='%')}")
        assert (answer.status, answer.kind) == (404, "not-found"), nonsense


@pytest.mark.parametrize("event_id", [UNKNOWN, "42", "latest", "%00", "x" * 3000])
async def test_what_is_no_event_has_no_proof(module: Client, auditor: Client, event_id: str) -> None:
    await covered(auditor, (await module.record(command_data()))["position"])
    answer = await auditor.call("GET", f"/v1/events/{event_id}/proof")
    assert (answer.status, answer.kind) == (404, "not-found")


@pytest.mark.parametrize("position", ["0", "-1", "x", "99999999", "9" * 30])
async def test_what_is_no_position_has_no_proof(module: Client, auditor: Client, position: str) -> None:
    await covered(auditor, (await module.record(command_data()))["position"])
    answer = await auditor.get(f"/v1/proofs/{position}")
    assert (answer.status, answer.kind) == (404, "not-found")


async def test_an_event_of_another_ledger_has_no_proof(callers: Callers, module: Client, auditor: Client) -> None:
    """Not by its id, and at its position there is another event."""
    receipt = await module.record(command_data())
    await covered(auditor, receipt["position"])
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    await covered(stranger, 1)
    answer = await stranger.get(f"/v1/events/{receipt['event_id']}/proof")
    assert (answer.status, answer.kind) == (404, "not-found")
    theirs, ours = [(await caller.get("/v1/proofs/1")).json["leaf_hash"] for caller in (stranger, auditor)]
    assert theirs != ours


async def test_a_user_proves_what_they_did_and_nothing_else(callers: Callers, module: Client, auditor: Client) -> None:
    own = await module.record(command_data(actor={"id": "me", "kind": "user"}))
    others = await module.record(command_data(actor={"id": "you", "kind": "user"}))
    await covered(auditor, others["position"])
    await auditor.shown(others)
    user = await callers.create(Role.USER, actor_id="me")
    assert (await user.get(f"/v1/events/{own['event_id']}/proof")).json["leaf_hash"] == own["leaf_hash"]
    answer = await user.get(f"/v1/events/{others['event_id']}/proof")
    assert (answer.status, answer.kind) == (404, "not-found")
    for path in ("/v1/checkpoints/latest", "/v1/checkpoints/1", "/v1/checkpoints/consistency?from=1", "/v1/proofs/1"):
        for caller, status in ((user, 403), (module, 403), (callers.with_key(None), 401)):
            refused: Answer = await caller.call("GET", path)
            assert refused.status == status, path


async def test_asking_for_a_proof_adds_nothing_to_the_ledger(module: Client, auditor: Client) -> None:
    """A proof shows nothing of an event; to record it would call for the next checkpoint, and never come to rest."""
    receipt = await module.record(command_data())
    await covered(auditor, receipt["position"])
    for path in (f"/v1/events/{receipt['event_id']}/proof", "/v1/checkpoints/latest", "/v1/proofs/1"):
        assert (await auditor.get(path)).status == 200
    assert (await module.record(command_data()))["position"] == receipt["position"] + 1
