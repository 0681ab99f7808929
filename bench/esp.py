"""Events of ESPs: a signed batch of 10,000 at the real server until its answer, and how fast a worker goes through it."""

from __future__ import annotations

import base64
import http.client
import json
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select

from preferences.models.esp import EspEventRow
from preferences.models.transaction import reading, transaction
from preferences.services.esp.hooks import add_hook
from preferences.services.webhooks.mailers import create_mailer
from preferences.worker import Worker
from tests.support import databases

from .support import Row, Service, print_table, service, serving

EVENTS = 10_000
BATCHES = 3
GOAL_SECONDS = 1.0
EFFECTS = 1_000
"""Of the last batch: hard bounces, each of another address."""


def run(events: int = EVENTS) -> list[Row]:
    """Every figure on both databases."""
    rows: list[Row] = []
    for name in databases.names():
        with service(name) as one:
            rows += measure(one, events)
    return rows


def measure(one: Service, events: int) -> list[Row]:
    """The slowest of three batches, one of them again, and the worker after them. Raises RuntimeError where events are lost."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    now = datetime.now(UTC)
    with transaction() as session:
        create_mailer(session, key="bench", name="Bench", now=now)
        secrets = {"scheme": "signed", "public_key": base64.b64encode(der).decode()}
        add_hook(session, mailer_key="bench", provider="sendgrid", secrets=secrets, purpose_key=None, now=now)
    with serving(one) as address:
        times = [post(address, key, batch(events, number)) for number in range(BATCHES)]
        again = post(address, key, batch(events, 0))
    with reading() as session:
        stored = session.scalar(select(func.count()).select_from(EspEventRow))
    if stored != BATCHES * events:
        raise RuntimeError(f"{BATCHES * events} events were answered 200, and {stored} are stored")
    start = time.perf_counter()
    worked = Worker().run_until_idle()
    seconds = time.perf_counter() - start
    what = f"esp: {events:,} events, {one.name}"
    note = f"{events / max(times):,.0f} events/s; fastest {min(times):.2f} s"
    return [
        Row(f"{what}, until answered", max(times), "s", GOAL_SECONDS, more_is_better=False, note=note),
        Row(f"{what}, the same again", again, "s", GOAL_SECONDS, more_is_better=False),
        Row(f"esp: worker, {one.name}", worked / seconds, "/s", note=f"{EFFECTS:,} of {worked:,} change something"),
    ]


def batch(events: int, number: int) -> bytes:
    """A batch as SendGrid writes it; in the last some bounce."""
    bounces = EFFECTS if number == BATCHES - 1 else 0
    return json.dumps([event(number * events + one, is_bounce=one < bounces) for one in range(events)]).encode()


def event(number: int, *, is_bounce: bool) -> dict[str, object]:
    """One event, about 480 bytes."""
    return {
        "email": f"person.{number}@example.se",
        "timestamp": int(time.time()),
        "event": "bounce" if is_bounce else "delivered",
        "type": "bounce",
        "status": "5.1.1" if is_bounce else "2.0.0",
        "response": "250 2.0.0 OK 1763742892 abcdefgh0123456789 - gsmtp",
        "smtp-id": f"<14c5d75ce93.dfd.{number:06}@ismtpd-555>",
        "category": ["autumn", "newsletter"],
        "sg_event_id": f"ZGVsaXZlcmVkLTAtMjk4NTU1NS1{number:08}",
        "sg_message_id": f"14c5d75ce93.dfd.{number:06}.filterdrecv-5645d9c87f-78xrs-18-5F0D4A3B-5.0",
        "preferences_message": "autumn-2026",
        "ip": "168.1.1.1",
        "tls": 1,
        "template_id": "d-1234567890abcdef1234567890abcdef",
    }


def post(address: str, key: ec.EllipticCurvePrivateKey, body: bytes) -> float:
    """Send a batch. Returns the seconds until it was answered; raises RuntimeError unless that was 200."""
    moment = str(int(time.time()))
    signature = key.sign(moment.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": moment,
    }
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    start = time.perf_counter()
    connection.request("POST", "/hooks/esp/sendgrid/bench", body, headers)
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - start
    if answer.status != 200:
        raise RuntimeError(f"a batch was answered {answer.status}")
    return seconds


if __name__ == "__main__":
    print_table(run(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
