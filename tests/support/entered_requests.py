"""What tests of requests that staff enter do again and again: write one down, register it, say who asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from preferences.models.rights import RightsRequestRow
from tests.support.rights import requests
from tests.support.staff import StaffBrowser

NEW = "/admin/requests/new"
DAY = timedelta(days=1)


def letter(**changes: str) -> dict[str, str]:
    """What staff write down of a letter that came three days ago."""
    arrived = (datetime.now(UTC) - 3 * DAY).date().isoformat()
    return {
        "kind": "access",
        "channel": "letter",
        "arrived_on": arrived,
        "known": "yes",
        "who": "anna@example.se",
        "text": "Vad har ni om mig?\nHälsningar Anna",
        "identity": "unchecked",
    } | changes


def register(officer: StaffBrowser, **changes: str) -> str:
    """Register it. Returns its page."""
    answer = officer.post(NEW, letter(sure="1", **changes))
    assert answer.status_code == 303, answer.text
    return str(answer.location).partition("?")[0]


def confirm(officer: StaffBrowser, page: str) -> None:
    """Say that it is them."""
    assert officer.post(f"{page}/identity", {"proof": "Ringde upp på numret vi har"}).status_code == 303


def stored(session: Session) -> RightsRequestRow:
    """The one request."""
    (row,) = requests(session)
    return row
