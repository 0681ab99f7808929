"""Mailers that were told of a stop are told when staff end it, once, and it is no opt-out (ADR 0023)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.events import EventType
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.endpoint import DeliveryRow
from preferences.models.outbox import ChangeEventRow
from preferences.queries.mailers.changes import newest_position
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.mailers.reconciliation import mailers_behind
from preferences.services.choices.staff_stops import end_stop, stop_address
from preferences.services.choices.suppression import lift_suppression, suppress
from preferences.services.outbox.acknowledge import acknowledge_changes
from tests.factories import make_recipient
from tests.support.staff import make_staff
from tests.support.webhooks import make_endpoint


def _told(session: Session) -> list[dict[str, object]]:
    rows = session.scalars(select(ChangeEventRow).order_by(ChangeEventRow.id)).all()
    assert {one.type for one in rows} <= {EventType.RECIPIENT_SUPPRESSED}
    return [dict(one.data or {}) for one in rows]


@pytest.mark.parametrize("what", [SuppressionReason.MANUAL, SuppressionReason.HARD_BOUNCE])
def test_the_end_of_a_stop_is_told_once_to_those_who_heard_of_the_stop(
    session: Session, what: SuppressionReason
) -> None:
    make_endpoint(session, "http://127.0.0.1:9/hook", mailer="shop")
    anna, now = make_recipient(session), datetime.now(UTC)
    staff = StaffId(make_staff(session, Role.PRIVACY_OFFICER).id)
    assert anna.address_index is not None
    if what is SuppressionReason.MANUAL:
        stop_address(session, anna, reason="Advokat.", staff_id=staff, now=now)
    else:
        suppress(session, address_index=anna.address_index, reason=what, source="esp", now=now, recipient_id=anna.id)
    for is_ended in (True, False):
        assert end_stop(session, anna, what, reason="Ny brevlåda.", staff_id=staff, now=now) is is_ended
    begun = {"reason": what.value, "scope": "all"}
    assert _told(session) == [begun, {**begun, "ended": True}]
    assert set(session.scalars(select(ChangeEventRow.recipient_id))) == {anna.id}
    assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 2
    session.commit()


def test_who_has_not_confirmed_the_end_is_not_late_with_an_opt_out(session: Session) -> None:
    make_endpoint(session, "http://127.0.0.1:9/hook", mailer="shop")
    anna, now = make_recipient(session), datetime.now(UTC)
    shop, bounce = mailer_by_key(session, "shop"), SuppressionReason.HARD_BOUNCE
    assert shop is not None
    assert anna.address_index is not None
    stop = {"address_index": anna.address_index, "reason": bounce, "now": now, "recipient_id": anna.id}
    suppress(session, source="esp", **stop)  # type: ignore[arg-type]
    session.commit()
    (late,) = mailers_behind(session)
    assert late.oldest_opt_out_at is not None
    session.commit()
    acknowledge_changes(session, shop.id, newest_position(session), now=now)
    lift_suppression(session, **stop)  # type: ignore[arg-type]
    session.commit()
    (behind,) = mailers_behind(session)
    assert (behind.changes, behind.oldest_opt_out_at) == (1, None)
    session.commit()


def test_ends_that_have_an_event_of_their_own_are_not_told_twice(session: Session) -> None:
    anna, now = make_recipient(session), datetime.now(UTC)
    assert anna.address_index is not None
    for what in (SuppressionReason.GLOBAL_STOP, SuppressionReason.ERASED):
        suppress(session, address_index=anna.address_index, reason=what, source="test", now=now)
        assert lift_suppression(session, address_index=anna.address_index, reason=what, now=now)
    assert _told(session) == []
    session.commit()
