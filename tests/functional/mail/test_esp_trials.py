"""What providers send before there is anything to report: taken, never stored, and never a way in."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy.orm import Session

from tests.support.client import StrictClient
from tests.support.esp import BASE_URL, a_case
from tests.support.esp.hooks import make_hook, post, stored
from tests.support.esp.samples import SAMPLES


def trial_of_mandrill(events: Any) -> tuple[bytes, dict[str, str]]:
    value = json.dumps(events)
    text = f"{BASE_URL}/hooks/esp/mandrill/newslettermandrill_events{value}"
    signature = base64.b64encode(hmac.digest(b"test-webhook", text.encode(), "sha1")).decode()
    return urlencode({"mandrill_events": value}).encode(), {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Mandrill-Signature": signature,
    }


def trial_of_mailersend(kind: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"type": kind, "data": {"type": "unsubscribed", "recipient": "anna@example.se"}}).encode()
    signature = hmac.digest(b"test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G", body, "sha256").hex()
    return body, {"Content-Type": "application/json", "Signature": signature}


@pytest.mark.parametrize(
    ("provider", "good", "bad"),
    [
        (
            "mandrill",
            trial_of_mandrill([]),
            trial_of_mandrill([{"event": "unsub", "msg": {"email": "anna@example.se"}}]),
        ),
        ("mailersend", trial_of_mailersend("webhook.test"), trial_of_mailersend("activity.unsubscribed")),
    ],
    ids=["mandrill", "mailersend"],
)
def test_the_printed_key_of_a_trial_opens_nothing_else(
    session: Session, client: StrictClient, provider: str, good: Any, bad: Any
) -> None:
    sample = SAMPLES[provider]
    make_hook(session, sample)
    statuses = [client.post(sample.path, data=body, headers=headers).status_code for body, headers in (good, bad)]
    assert statuses == [200, 401]
    assert stored(session) == []


def test_the_trial_of_sparkpost_is_no_event(session: Session, client: StrictClient) -> None:
    make_hook(session, SAMPLES["sparkpost"])
    assert post(client, SAMPLES["sparkpost"], [{"msys": {}}]).status_code == 200
    assert stored(session) == []


@pytest.mark.parametrize("header", ["", "v1", "v1,", "v1,x y", "v1,a,b", "v2,AAAA", "v1,\xff", " " * 9])
def test_resends_library_says_no_to_malformed_signatures_without_failing(
    session: Session, client: StrictClient, now: Any, header: str
) -> None:
    sample = SAMPLES["resend"]
    make_hook(session, sample)
    good = sample.sign(a_case("resend", "bounced").request, now)
    answer = client.post(sample.path, data=good.body, headers={**good.headers, "svix-signature": header})
    assert answer.status_code == 401
