"""`GET /suppressions` streams every stop as a hash, and addresses only to the mailer that brought them in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.suppression import SuppressionRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import lift_suppression, suppress
from tests.factories import make_key, make_recipient, purpose
from tests.functional.api.support import Api
from tests.support.client import StrictClient


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


def stop(
    session: Session, who: RecipientView, reason: SuppressionReason, when: datetime, key: str | None = None
) -> None:
    assert who.address_index is not None
    purpose_id = purpose(session, key).id if key else None
    suppress(session, address_index=who.address_index, reason=reason, source="test", now=when, purpose_id=purpose_id)
    session.commit()


def test_own_recipients_are_named_and_others_are_hashes(api: Api, session: Session, now: datetime) -> None:
    mine = make_recipient(session, "Mine@example.se", source="api:newsletter")
    theirs = make_recipient(session, "theirs@example.se", source="api:shop")
    stop(session, mine, SuppressionReason.COMPLAINT, now, "events")
    stop(session, theirs, SuppressionReason.GLOBAL_STOP, now)
    answer = api.get("/suppressions").json
    since = now.isoformat().replace("+00:00", "Z")
    assert mine.address_index is not None
    assert theirs.address_index is not None
    assert answer == {
        "suppressions": [
            {
                "hash": mine.address_index.hex(),
                "reason": "complaint",
                "scope": "purpose",
                "purpose": "events",
                "since": since,
                "email": "Mine@example.se",
            },
            {
                "hash": theirs.address_index.hex(),
                "reason": "global_stop",
                "scope": "informational",
                "purpose": None,
                "since": since,
            },
        ],
        "count": 2,
    }


def test_what_was_lifted_is_not_listed(api: Api, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    stop(session, anna, SuppressionReason.HARD_BOUNCE, now)
    assert anna.address_index is not None
    bounce = SuppressionReason.HARD_BOUNCE
    lift_suppression(session, address_index=anna.address_index, reason=bounce, now=now + timedelta(days=1))
    session.commit()
    assert api.get("/suppressions").json == {"suppressions": [], "count": 0}


def test_a_stream_of_lines_ends_with_their_number(api: Api, session: Session, now: datetime) -> None:
    rows = [
        {
            "address_index": number.to_bytes(16, "big"),
            "reason": SuppressionReason.MANUAL,
            "scope": SuppressionScope.ALL,
            "source": "test",
            "created_at": now,
        }
        for number in range(1203)
    ]
    session.execute(insert(SuppressionRow), rows)
    session.commit()
    lines = api.get("/suppressions", Accept="application/x-ndjson").lines
    assert len(lines) == 1204
    assert lines[-1] == {"count": 1203}
    assert [line["hash"] for line in lines[:-1]] == [number.to_bytes(16, "big").hex() for number in range(1203)]
    assert len(api.get("/suppressions").json["suppressions"]) == 1203
