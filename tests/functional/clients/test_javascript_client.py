"""The JavaScript client does as its twin does, under the node that is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.factories import make_key
from tests.functional.clients.conftest import Faulty
from tests.functional.clients.test_python_client_faults import (
    BODY,
    HEAD,
    LINKS,
    OTHER,
    SECRET,
    problem,
    row,
    signed,
)

NODE = shutil.which("node")
HERE = Path(__file__).resolve().parent
CLIENT = HERE.parent.parent.parent / "clients" / "javascript"

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no node")


def node(script: str, *arguments: str) -> str:
    assert NODE is not None
    command = [NODE, str(HERE / script), str(CLIENT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fault(faulty: Faulty, case: str, given: object = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node("faults.mjs", faulty.url, case, json.dumps(given)))
    return found


def test_a_mailers_journey(base_url: str, session: Session) -> None:
    assert node("journey.mjs", base_url, make_key(session)) == "done\n"


def test_what_can_pass_is_tried_again_with_the_same_idempotency_key(faulty: Faulty) -> None:
    faulty.answers = [problem(503, **{"Retry-After": "7"}), problem(429, **{"Retry-After": "9999"}), LINKS]
    assert fault(faulty, "links") == {"came": [{"recipient": "a@b.se"}], "waits": [7, 300]}
    assert len({{name.lower(): value for name, value in one[2].items()}["idempotency-key"] for one in faulty.came}) == 1


def test_what_cannot_pass_is_not_tried_again_and_no_redirect_followed(faulty: Faulty) -> None:
    faulty.answers = [(307, {"Location": f"{faulty.url}/elsewhere"}, b"")]
    found = fault(faulty, "position")
    assert (found["came"]["status"], found["came"]["code"], found["waits"]) == (307, "not_understood", [])
    assert [path for _, path, _, _ in faulty.came] == ["/api/v1/changes/position"]


def test_a_stream_that_breaks_off_is_taken_up_after_the_last_answer(faulty: Faulty) -> None:
    faulty.answers = [
        (200, {"Content-Length": "5000"}, HEAD + row("a@b.se") + b'{"recipient": "c@'),
        (200, {}, HEAD),
        (200, {}, HEAD + row("c@d.se") + row("e@f.se") + b'{"count": 2}\n'),
    ]
    assert fault(faulty, "eligibility")["came"] == ["a@b.se", "c@d.se", "e@f.se"]
    assert [body.count(b"\n") for _, _, _, body in faulty.came] == [4, 3, 3]


def test_what_is_cut_short_or_away_or_in_the_clear_is_told(faulty: Faulty) -> None:
    faulty.answers = [(200, {}, b'{"hash": "1"}\n')]
    assert fault(faulty, "suppressions")["came"]["code"] == "cut_short"
    away = fault(Faulty(url="http://127.0.0.1:9"), "position")["came"]
    assert (away["status"], away["code"]) == (0, "unreachable")
    assert fault(faulty, "inTheClear")["came"]["name"] == "TypeError"


def test_webhooks_are_read_as_the_twin_reads_them(faulty: Faulty) -> None:
    good = signed(at=1_700_000_000)
    rotated = {**good, "Webhook-Signature": f"v1a,x {signed(OTHER)['Webhook-Signature']} {good['Webhook-Signature']}"}
    cases: list[tuple[Any, dict[str, str], bytes, int, bool]] = [
        (SECRET, good, BODY, 0, True),
        ([OTHER, SECRET], good, BODY, 299, True),
        (SECRET, rotated, BODY, -299, True),
        (SECRET, good, BODY, 301, False),
        (SECRET, good, BODY, -301, False),
        (SECRET, good, BODY + b" ", 0, False),
        (OTHER, good, BODY, 0, False),
        (SECRET, {**good, "Webhook-Id": "evt_2"}, BODY, 0, False),
        (SECRET, {**good, "Webhook-Signature": "v1"}, BODY, 0, False),
        (SECRET, {**good, "Webhook-Signature": "v2,AAAA"}, BODY, 0, False),
        (SECRET, {**good, "Webhook-Timestamp": "x"}, BODY, 0, False),
    ]
    given = [
        {"secrets": secrets, "headers": headers, "body": body.decode(), "now": 1_700_000_000 + off}
        for secrets, headers, body, off, _ in cases
    ]
    for came, (*_, is_good) in zip(fault(faulty, "webhooks", given)["came"], cases, strict=True):
        assert came == json.loads(BODY) if is_good else came["name"] == "InvalidWebhook"


def test_both_clients_have_the_same_calls() -> None:
    python = (CLIENT.parent / "python" / "preferences_client.py").read_text()
    javascript = (CLIENT / "preferences-client.mjs").read_text()
    ours = set(re.findall(r"^    def ([a-z]\w*)", python, re.MULTILINE)) - {"redirect_request"}
    theirs = set(re.findall(r"^  (?:async )?\*?([a-z]\w*)\([^)]*\) \{$", javascript, re.MULTILINE)) - {"constructor"}
    assert {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", one) for one in theirs} == ours
