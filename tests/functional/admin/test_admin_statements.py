"""What each admin page asks of the database: so many statements at most, and no more of them when there is three times as much."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.models.transaction import transaction
from preferences.queries.staff.bursts import recent_bursts
from preferences.services.ledger.sealing import SealKeys, seal_next
from tests.factories import make_recipient
from tests.support.admin_places import admin_pages
from tests.support.client import HastyClient
from tests.support.crowd import gather
from tests.support.office import furnish
from tests.support.staff import StaffBrowser, signed_in
from tests.support.statements import statements

MOST: dict[str, int] = {}
GROWS: dict[str, str] = {}


def asked(app: Flask, who: StaffBrowser, pages: dict[str, str]) -> dict[str, int]:
    """Statements by page."""
    counted = {}
    for name, path in pages.items():
        with statements(app) as seen:
            answer = who.get(path)
        assert answer.status_code in {200, 303}, f"{path}: {answer.status}"
        counted[name] = len(seen)
    return counted


def test_pages_ask_for_no_more_when_there_is_three_times_as_much(app: Flask, session: Session) -> None:
    client, app.test_client_class = app.test_client_class, HastyClient
    busy = make_recipient(session, "busy@example.se")
    furnish(session, 1, 6)
    gather(session, 1, 9, busy=busy)
    with transaction() as sealing:
        seal_next(sealing, SealKeys(app.extensions["preferences.settings"].seal_keys), now=datetime.now(UTC))
    who = signed_in(app, session, Role.ADMINISTRATOR)
    (burst, *_) = recent_bursts(session, now=datetime.now(UTC))
    pages = admin_pages(app, session, person=format_recipient_id(busy.id), burst=burst.key, training=1)
    asked(app, who, pages)
    before = asked(app, who, pages)
    furnish(session, 7, 12)
    gather(session, 10, 18, busy=busy)
    after = asked(app, who, pages)
    app.test_client_class = client
    print({one: (before[one], after[one]) for one in before if after[one] != before[one]})
    print(before)
    assert {one: count for one, count in after.items() if count > before[one] and one not in GROWS} == {}
    assert {one: count for one, count in before.items() if count > MOST.get(one, 0)} == {}
