"""A mailer says how far it has applied the change feed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.feed import FeedPosition, refuse_beyond
from preferences.models.mailer import AcknowledgementRow
from preferences.models.upsert import insert_into
from preferences.queries.mailers.changes import newest_position
from preferences.queries.mailers.reconciliation import Acknowledged, acknowledged_by


def acknowledge_changes(session: Session, mailer_id: int, position: FeedPosition, *, now: datetime) -> Acknowledged:
    """Record that a mailer has applied everything up to here, and return where it stands: never further back than before.

    Raises InvalidCursor for a place that the feed has not reached.
    """
    before = acknowledged_by(session, mailer_id)
    if position <= before.position:
        return before
    refuse_beyond(position, newest_position(session), pointer="/cursor")
    values = {
        "mailer_id": mailer_id,
        "feed_order": position.order,
        "event_id": position.id,
        "acknowledged_at": now,
    }
    session.execute(insert_into(session, AcknowledgementRow.__table__).values(values).on_conflict_do_nothing())
    return acknowledged_by(session, mailer_id)
