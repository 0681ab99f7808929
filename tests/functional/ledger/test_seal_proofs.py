"""A person's receipt proves itself: the small program finds it in order offline, and finds whatever was bent."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.merkle import verify_consistency
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.ledger.proofs import proof_of
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.receipts import consented, dpv
from tests.support.seals import seal, seal_keys, write_entries
from tests.support.step_up import SteppedUp, step_up

SCRIPT = Path(__file__).resolve().parents[3] / "static" / "verify_receipt.py"
_spec = importlib.util.spec_from_file_location("verify_receipt", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
verifier: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verifier)


@pytest.fixture
def anna(session: Session) -> RecipientView:
    return make_recipient(session, locale="sv")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the small program on a document."""

    def run(document: Any, *more: str) -> tuple[int, str]:
        path = tmp_path / "receipt.proof.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document, ensure_ascii=False))
        return verifier.main([str(path), *more]), capsys.readouterr().out

    return run


def _proof(me: SteppedUp, entry: int) -> dict[str, Any]:
    answer = me.client.get(f"/me/receipts/{entry}.proof.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = json.loads(answer.data)
    return found


Run = Callable[..., tuple[int, str]]


def test_a_sealed_receipt_is_proved_offline(app: Flask, session: Session, anna: RecipientView, run: Run) -> None:
    write_entries(session, 300)
    entry = consented(session, anna)
    write_entries(session, 10)
    seal(session, limit=64)
    write_entries(session, 10)
    seal(session)
    me = step_up(app, anna)
    proof = _proof(me, entry)
    status, said = run(proof, "--key", seal_keys().newest.hex())
    assert status == 0, said
    assert f"entry {entry}: given, surveys" in said
    assert run(dpv(me, entry))[0] == 0, "the proof goes along in the receipt as JSON-LD"
    assert "i sin ordning" in run(proof, "--sv")[1]
    page = Page(me.client.get(f"/me/receipts/{entry}?lang=en"))
    assert f"/me/receipts/{entry}.proof.json" in page.html
    assert "/static/verify_receipt.py" in page.html


def test_what_is_not_sealed_yet_says_so(app: Flask, session: Session, anna: RecipientView, run: Run) -> None:
    entry = consented(session, anna)
    me = step_up(app, anna)
    assert "sealed within the hour" in Page(me.client.get(f"/me/receipts/{entry}?lang=en")).text
    assert "inom en timme" in Page(me.client.get(f"/me/receipts/{entry}?lang=sv")).text
    proof = _proof(me, entry)
    assert proof["sealed"] is None
    assert run(proof)[0] == 2
    assert "additionalProperty" not in json.dumps(dpv(me, entry)["dpv:hasRecordOfActivity"])


def _bend(proof: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    bent = json.loads(json.dumps(proof))
    *parents, last = path.split(".")
    place = bent
    for name in parents:
        place = place[name]
    place[last] = value
    return bent  # type: ignore[no-any-return]


BENT: dict[str, Any] = {
    "entry.act": "refused",
    "entry.occurred_at": "2020-01-01T00:00:00.000000Z",
    "entry.recipient": "2222222222222",
    "entry.evidence_digest": None,
    "notice.what": "Something else",
    "evidence.source": "another fair",
    "sealed.position": 1,
    "sealed.path": [],
    "sealed.published.signature": "00" * 64,
    "sealed.published.head.root": "00" * 32,
    "sealed.published.head.tree_size": 9,
    "sealed.published.head.sealed_at": "2020-01-01T00:00:00.000000Z",
    "sealed.published.head.public_key": "00" * 32,
    "sealed.published": {},
    "entry": [],
    "sealed": "x",
}


@pytest.mark.parametrize("path", BENT)
def test_whatever_is_bent_is_found(app: Flask, session: Session, anna: RecipientView, run: Run, path: str) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
        pytest.skip("the proof is the same on both databases")
    entry = consented(session, anna)
    sold = act(session, anna, "marketing", evidence={"source": "fair", "wording": "Ja tack, gärna ☃"})
    seal(session)
    which = sold if path.startswith("evidence") else entry
    proof = proof_of(session, anna.id, which)
    assert proof is not None
    assert run(proof)[0] == 0
    if path == "entry.evidence_digest":
        proof = proof_of(session, anna.id, sold) or {}
    status, said = run(_bend(proof, path, BENT[path]))
    assert status == 1, said


def test_another_key_is_not_taken_for_the_companys(session: Session, anna: RecipientView, run: Run) -> None:
    entry = consented(session, anna)
    seal(session)
    status, said = run(proof_of(session, anna.id, entry), "--key", "11" * 32)
    assert (status, "another key" in said) == (1, True)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "null",
        "\ufeff{}",
        "[" * 2000,
        '{"format": "ledger-proof/1"}',
        '{"a": 1, "a": 2}',
        '{"a": 1.5}',
        "NaN",
    ],
)
def test_a_file_that_is_no_proof_is_no_proof(run: Run, content: str) -> None:
    status, said = run(content)
    assert status in {1, 2}
    assert "no receipt with a proof" in said


@property_settings(max_examples=10)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.integers(0, 511))
def test_the_small_programs_signatures_are_those_of_the_library(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verifier.is_signed(public, message, signature)
    bent = bytearray(signature)
    bent[bit // 8] ^= 1 << bit % 8
    assert not verifier.is_signed(public, message, bytes(bent))
    assert not verifier.is_signed(public, message + b"x", signature)


def test_somebody_elses_proof_is_as_if_it_were_not_there(app: Flask, session: Session, anna: RecipientView) -> None:
    bo = make_recipient(session, "bo@example.se")
    foreign = consented(session, bo)
    me = step_up(app, anna)
    for entry in (str(foreign), "0", "-1", "x", str(2**63 - 1), str(2**70)):
        assert me.client.get(f"/me/receipts/{entry}.proof.json").status_code == 404
    stranger = app.test_client().get(f"/me/receipts/{foreign}.proof.json")
    assert (stranger.status_code, stranger.location) == (303, "/me/closed")


def test_a_proof_reads_a_few_ranges_however_long_the_ledger_is(session: Session, anna: RecipientView) -> None:
    write_entries(session, 1500)
    entry = act(session, anna, "marketing", Act.WITHDRAWN)
    write_entries(session, 700)
    seal(session)
    asked: list[str] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    assert proof_of(session, anna.id, entry) is not None
    assert len([one for one in asked if "seal" in one]) <= 6


def test_heads_and_keys_are_public_and_may_be_kept(session: Session, client: StrictClient) -> None:
    for path in ("/seals/latest.json", "/seals/1.json", "/seals/0.json", f"/seals/{2**70}.json", "/seals/x.json"):
        assert client.get(path).status_code == 404
    write_entries(session, 5)
    first = seal(session)
    write_entries(session, 3)
    second = seal(session)
    answer = client.get("/seals/2.json")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    told = answer.get_json()
    steps = [bytes.fromhex(step) for step in told["consistency"]["path"]]
    assert verify_consistency(5, 8, steps, first.head.root, second.head.root)
    assert client.get("/seals/latest.json").get_json() == told
    assert client.get("/seals/1.json").get_json() == {**first.as_json(), "consistency": None}
    keys = client.get("/seals/keys.json").get_json()
    assert keys["current"] == seal_keys().newest.hex()
    assert keys["keys"] == [{"public_key": keys["current"], "first_head": 1, "last_head": 2}]
