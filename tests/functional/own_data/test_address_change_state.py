"""What goes along with a change of address: the strictest state; and that two answers at once move nobody twice (T26)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.address import parse_address
from preferences.domain.address_change import SOURCE, Side
from preferences.domain.capability import Capability, Claims
from preferences.domain.eligibility import Decision, Reason, Refused
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.outbox import ChangeEventRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import active_suppressions, standing
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.choices.confirmations import Asked, ask_to_turn_on, confirm
from preferences.services.choices.suppression import suppress
from preferences.services.recipients.address_change import ask_address_change, confirm_address_change
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.rights import changes
from tests.support.step_up import browser
from tests.support.visits import confirmations

OLD, NEW = "anna@example.se", "anna@ny.example"


def _index(address: str) -> bytes:
    return keyring().address_index(parse_address(address).normal)


def _move(session: Session, anna: RecipientView, new: str = NEW) -> RecipientView:
    """Ask and have both mailboxes say yes. Committed."""
    now = datetime.now(UTC)
    ask_address_change(session, anna.id, parse_address(new), locale="sv", now=now)
    change = changes_of(session)
    for side in Side:
        confirm_address_change(session, change, anna.id, side, now=now)
    session.commit()
    found = recipient_by_id(session, anna.id)
    session.commit()
    assert found is not None
    return found


def changes_of(session: Session) -> int:
    """The id of the newest change, inside the test's own transaction."""
    from preferences.models.rights import AddressChangeRow

    return session.scalars(select(func.max(AddressChangeRow.id))).one()


def _decide(session: Session, who: RecipientView | None, address: str, key: str) -> Decision:
    where = standing(
        session,
        recipient_id=who.id if who else None,
        status=who.status if who else None,
        address_index=_index(address),
    )
    session.commit()
    return where.decide([purpose(session, key)], datetime.now(UTC))


def test_choices_and_history_come_along(session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "events", Act.OBJECTED)
    act(session, anna, "surveys", Act.GIVEN)
    moved = _move(session, anna)
    assert not isinstance(_decide(session, moved, NEW, "surveys"), Refused)
    refused = _decide(session, moved, NEW, "events")
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.OBJECTED


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (SuppressionReason.GLOBAL_STOP, Reason.SUPPRESSED_GLOBAL_STOP),
        (SuppressionReason.COMPLAINT, Reason.SUPPRESSED_COMPLAINT),
    ],
)
def test_a_stop_of_the_old_address_stops_the_new_one(
    session: Session, reason: SuppressionReason, told: Reason, now: datetime
) -> None:
    anna = make_recipient(session)
    suppress(session, address_index=_index(OLD), reason=reason, source="page", now=now, recipient_id=anna.id)
    session.commit()
    refused = _decide(session, _move(session, anna), NEW, "events")
    assert isinstance(refused, Refused)
    assert refused.reason is told


def test_a_stop_for_one_purpose_comes_along_as_that(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    surveys = purpose(session, "events")
    suppress(
        session,
        address_index=_index(OLD),
        reason=SuppressionReason.MANUAL,
        source="staff:1",
        now=now,
        purpose_id=surveys.id,
    )
    session.commit()
    moved = _move(session, anna)
    assert isinstance(_decide(session, moved, NEW, "events"), Refused)
    found = active_suppressions(session, _index(NEW))
    assert [(one.reason, one.purpose_id) for one in found] == [(SuppressionReason.MANUAL, surveys.id)]


def test_a_bounce_of_the_old_mailbox_says_nothing_about_the_new_one(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    suppress(session, address_index=_index(OLD), reason=SuppressionReason.HARD_BOUNCE, source="esp:ses", now=now)
    session.commit()
    assert not isinstance(_decide(session, _move(session, anna), NEW, "events"), Refused)


def test_stops_of_the_new_address_stay(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    suppress(session, address_index=_index(NEW), reason=SuppressionReason.COMPLAINT, source="esp:ses", now=now)
    session.commit()
    refused = _decide(session, _move(session, anna), NEW, "events")
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.SUPPRESSED_COMPLAINT


def test_the_old_address_is_never_mailed_again_whoever_brings_it_back(session: Session) -> None:
    _move(session, make_recipient(session))
    bare = _decide(session, None, OLD, "events")
    assert isinstance(bare, Refused)
    assert bare.reason is Reason.SUPPRESSED_MANUAL
    again = make_recipient(session, OLD)
    act(session, again, "marketing", Act.GIVEN)
    refused = _decide(session, again, OLD, "marketing")
    assert isinstance(refused, Refused)


def test_old_unsubscribe_links_still_stop_and_old_preference_links_show_nothing(
    session: Session, client: StrictClient
) -> None:
    anna = make_recipient(session)
    events = purpose(session, "events")
    unsubscribe, preferences = link(anna, events), link(anna, capability=Capability.PREFERENCES)
    moved = _move(session, anna)
    page = client.get(f"/p/{preferences}").text
    assert "•••@" not in page
    assert 'action="stop"' in page or 'value="stop"' in page
    assert client.post(f"/u/{unsubscribe}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    refused = _decide(session, moved, NEW, "events")
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.OBJECTED


def test_what_the_old_mailbox_had_not_confirmed_can_no_longer_be(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    ask_to_turn_on(session, anna.id, [Asked(purpose(session, "surveys"), Act.GIVEN)], locale="sv", now=now)
    session.commit()
    _move(session, anna)
    waiting = confirmations(session)[0]
    claims = Claims(Capability.CONFIRM, anna.id, 0, 1, now, waiting.id)
    assert confirm(session, claims, now=now) == "cancelled"


def test_two_answers_at_once_move_once(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    now = datetime.now(UTC)
    ask_address_change(session, anna.id, parse_address(NEW), locale="sv", now=now)
    session.commit()
    number = changes(session)[0].id
    paths = [
        f"/c/address/{link(anna, capability=one, reference=number)}"
        for one in (Capability.ADDRESS_OLD, Capability.ADDRESS_NEW)
    ]
    barrier = Barrier(6)

    def answer(turn: int) -> int:
        with app.app_context():
            barrier.wait(timeout=30)
            return browser(app).post(paths[turn % 2], data={"answer": "yes"}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(answer, range(6))) == [303] * 6
    events = select(func.count()).where(ChangeEventRow.type == "recipient.address_changed")
    assert session.scalar(events) == 1
    assert changes(session)[0].done_at is not None


def test_two_people_who_want_the_same_address_do_not_both_get_it(app: Flask, session: Session) -> None:
    people = [make_recipient(session), make_recipient(session, "bo@example.se")]
    now = datetime.now(UTC)
    for one in people:
        ask_address_change(session, one.id, parse_address(NEW), locale="sv", now=now)
        confirm_address_change(session, changes_of(session), one.id, Side.OLD, now=now)
        session.commit()
    rows = changes(session)
    barrier = Barrier(2)

    def answer(turn: int) -> int:
        with app.app_context():
            path = f"/c/address/{link(people[turn], capability=Capability.ADDRESS_NEW, reference=rows[turn].id)}"
            barrier.wait(timeout=30)
            return browser(app).post(path, data={"answer": "yes"}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(answer, range(2))) == [303, 303]
    assert sorted(row.done_at is not None for row in changes(session)) == [False, True]
    assert sorted(row.cancelled_at is not None for row in changes(session)) == [False, True]


STOPS = st.sets(st.sampled_from([*SuppressionReason]), max_size=4)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=STOPS, new=STOPS, objected=st.booleans())
def test_nothing_is_allowed_after_a_move_that_was_not_before(
    session: Session, old: set[SuppressionReason], new: set[SuppressionReason], objected: bool
) -> None:
    session.rollback()
    session.execute(delete(SuppressionRow))
    now = datetime.now(UTC)
    tag = f"{now.timestamp():.6f}".replace(".", "")
    before, after = f"a{tag}@example.se", f"b{tag}@ny.example"
    anna = make_recipient(session, before)
    if objected:
        act(session, anna, "events", Act.OBJECTED)
    for address, reasons in ((before, old - {SuppressionReason.ERASED}), (after, new)):
        for reason in reasons:
            suppress(session, address_index=_index(address), reason=reason, source="test", now=now)
    session.commit()
    personal = old & {SuppressionReason.GLOBAL_STOP, SuppressionReason.COMPLAINT, SuppressionReason.MANUAL}
    moved = _move(session, anna, after)
    if moved.address != after:
        assert new & {SuppressionReason.ERASED, SuppressionReason.HARD_BOUNCE, SuppressionReason.MANUAL}
        return
    found = {one.reason for one in active_suppressions(session, _index(after))}
    assert found == personal | new
    session.commit()
    decision = _decide(session, moved, after, "events")
    assert isinstance(decision, Refused) == bool(personal or new or objected)
    left = session.scalars(select(SuppressionRow.source).where(SuppressionRow.address_index == _index(before))).all()
    assert SOURCE in left or SuppressionReason.MANUAL in old
    session.commit()
