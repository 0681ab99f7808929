"""Suppressions by keyed hash: scoped, idempotent, and outliving recipients and erasure (T20, T22)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.address import parse_address
from preferences.domain.eligibility import Allowed, Decision, Reason, RecipientStatus, Refused
from preferences.domain.events import EventType
from preferences.domain.suppression import DEFAULT_SCOPES, SuppressionReason, SuppressionScope
from preferences.models.crypto import keyring
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import active_suppressions, standing
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_address
from preferences.services.choices.suppression import lift_suppression, suppress
from tests.factories import act, make_recipient, purpose

ANNA = parse_address("Anna@Example.se")


def _index(address: str = "anna@example.se") -> bytes:
    return keyring().address_index(parse_address(address).normal)


def _decide(
    session: Session, recipient: RecipientView | None, key: str, now: datetime, index: bytes | None = None
) -> Decision:
    where = standing(
        session,
        recipient_id=recipient.id if recipient else None,
        status=recipient.status if recipient else None,
        address_index=recipient.address_index if recipient else index,
    )
    return where.decide(catalogue(session).path(key), now)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_every_reason_has_its_own_refusal(session: Session, now: datetime, reason: SuppressionReason) -> None:
    anna = make_recipient(session)
    act(session, anna, "surveys", Act.GIVEN)
    assert isinstance(_decide(session, anna, "surveys", now), Allowed)
    suppress(session, address_index=_index("ANNA@example.SE"), reason=reason, source="test", now=now)
    assert _decide(session, anna, "surveys", now) == Refused(Reason(f"suppressed_{reason}"))
    (found,) = active_suppressions(session, anna.address_index)
    assert (found.reason, found.scope) == (reason, DEFAULT_SCOPES[reason])


def test_one_purpose_can_be_suppressed_alone(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    for key in ("surveys", "marketing"):
        act(session, anna, key, Act.GIVEN)
    complaint = {"reason": SuppressionReason.COMPLAINT, "source": "esp:test", "now": now}
    suppress(session, address_index=_index(), purpose_id=purpose(session, "marketing").id, **complaint)  # type: ignore[arg-type]
    assert _decide(session, anna, "marketing", now) == Refused(Reason.SUPPRESSED_COMPLAINT)
    assert _decide(session, anna, "product_news", now) == Refused(Reason.SUPPRESSED_COMPLAINT)
    assert isinstance(_decide(session, anna, "surveys", now), Allowed)
    (found,) = active_suppressions(session, anna.address_index)
    assert found.scope is SuppressionScope.PURPOSE


def test_bounce_complaint_and_stop_lie_beside_each_other_and_lift_one_by_one(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    act(session, anna, "surveys", Act.GIVEN)
    reasons = [SuppressionReason.COMPLAINT, SuppressionReason.HARD_BOUNCE, SuppressionReason.GLOBAL_STOP]
    for reason in reasons:
        suppress(session, address_index=_index(), reason=reason, source="test", now=now)
    for reason in (SuppressionReason.GLOBAL_STOP, SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT):
        assert _decide(session, anna, "surveys", now) == Refused(Reason(f"suppressed_{reason}"))
        assert lift_suppression(session, address_index=_index(), reason=reason, now=now)
    assert isinstance(_decide(session, anna, "surveys", now), Allowed)


def test_repeat_changes_nothing_and_tells_nobody_again(session: Session, now: datetime) -> None:
    stop = {"address_index": _index(), "reason": SuppressionReason.HARD_BOUNCE}
    assert suppress(session, source="esp:one", now=now, **stop)  # type: ignore[arg-type]
    assert not suppress(session, source="esp:two", now=now + timedelta(days=1), **stop)  # type: ignore[arg-type]
    (row,) = session.scalars(select(SuppressionRow)).all()
    assert (row.source, row.created_at) == ("esp:one", now)
    told = session.scalars(select(ChangeEventRow).where(ChangeEventRow.type == EventType.RECIPIENT_SUPPRESSED)).all()
    assert [one.data for one in told] == [{"reason": "hard_bounce", "scope": "all"}]


def test_lifted_suppression_applies_again_when_it_happens_again(session: Session, now: datetime) -> None:
    stop = {"address_index": _index(), "reason": SuppressionReason.HARD_BOUNCE}
    suppress(session, source="esp:one", now=now, **stop)  # type: ignore[arg-type]
    assert lift_suppression(session, now=now, **stop)  # type: ignore[arg-type]
    assert not lift_suppression(session, now=now, **stop)  # type: ignore[arg-type]
    assert active_suppressions(session, _index()) == ()
    (row,) = session.scalars(select(SuppressionRow)).all()
    assert row.lifted_at == now, "a row says that it once applied"
    assert suppress(session, source="esp:two", now=now + timedelta(days=1), **stop)  # type: ignore[arg-type]
    assert session.execute(select(SuppressionRow.source, SuppressionRow.lifted_at)).one() == ("esp:two", None)


def test_address_without_recipient_can_be_suppressed_and_stays_so_for_whoever_comes(
    session: Session, now: datetime
) -> None:
    suppress(session, address_index=_index(), reason=SuppressionReason.HARD_BOUNCE, source="esp:test", now=now)
    assert _decide(session, None, "events", now, _index()) == Refused(Reason.SUPPRESSED_HARD_BOUNCE)
    anna = make_recipient(session, "ANNA@example.se")
    assert _decide(session, anna, "events", now) == Refused(Reason.SUPPRESSED_HARD_BOUNCE)


def test_suppression_survives_erasure_and_a_sync_back_in(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    suppress(session, address_index=_index(), reason=SuppressionReason.ERASED, source="page", now=now)
    session.execute(
        update(RecipientRow).values(
            address=None, address_index=None, domain_index=None, status=RecipientStatus.ERASED, erased_at=now
        )
    )
    session.commit()
    assert recipient_by_address(session, ANNA) is None
    again = make_recipient(session, "anna@example.se")
    act(session, again, "surveys", Act.GIVEN)
    assert again.id != anna.id
    for key in ("surveys", "events", "photos"):
        assert _decide(session, again, key, now) == Refused(Reason.SUPPRESSED_ERASED)


def test_nothing_but_the_keyed_hash_is_kept(session: Session, now: datetime) -> None:
    suppress(session, address_index=_index(), reason=SuppressionReason.ERASED, source="page", now=now)
    row = session.execute(text("SELECT * FROM suppressions")).one()
    assert "anna" not in repr(row)
    assert "example" not in repr(row)


def test_very_long_source_is_cut_not_an_error(session: Session, now: datetime) -> None:
    suppress(session, address_index=_index(), reason=SuppressionReason.MANUAL, source="s" * 500, now=now)
    assert session.scalar(select(SuppressionRow.source)) == "s" * 100
