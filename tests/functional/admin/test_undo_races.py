"""Staff take back what they recorded while the person says no themselves: the person's own word stands."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import STOPS, Actor, Method
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices import undo
from tests.factories import act, link, make_recipient, purpose
from tests.support.staff import StaffBrowser, signed_in


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody with a consent."""
    found = make_recipient(session)
    act(session, found, "marketing", method=Method.DOUBLE_OPT_IN)
    return found


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    return signed_in(app, session)


def record_no(session: Session, stina: StaffBrowser, anna: RecipientView, said: str = "no") -> str:
    """Staff record a no by telephone. Returns the entry's number."""
    number = purpose(session, "marketing").id
    session.rollback()
    form = {"said": said, "purpose": str(number), "told": "phone", "reason": "Ringde", "form": "0123456789abcdef"}
    assert stina.post(f"/admin/recipients/{format_recipient_id(anna.id)}/act", form).status_code == 303
    entry = session.scalars(select(LedgerEntryRow.id).order_by(LedgerEntryRow.id.desc()).limit(1)).one()
    session.rollback()
    return str(entry)


def take_back(stina: StaffBrowser, anna: RecipientView, entry: str) -> str:
    return str(stina.post(f"/admin/recipients/{format_recipient_id(anna.id)}/undo", {"entry": entry}).location)


def one_click(app: Flask, session: Session, anna: RecipientView, key: str) -> str:
    """The path of the person's link; made before threads begin."""
    found = f"/u/{link(anna, purpose(session, key))}"
    session.rollback()
    return found


def press(app: Flask, path: str) -> int:
    with app.app_context():
        client = app.test_client(use_cookies=False)
        return client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code


def stops(session: Session) -> bool:
    session.rollback()
    found = session.scalars(
        select(ChoiceRow).where(ChoiceRow.training_id == 0).order_by(ChoiceRow.entry_id.desc())
    ).first()
    assert found is not None
    stopped = found.act in STOPS
    session.rollback()
    return stopped


def test_a_no_by_link_after_a_no_by_telephone_is_no_repeat(
    app: Flask, session: Session, stina: StaffBrowser, anna: RecipientView
) -> None:
    """Were it one, taking back the first would take back the second, of which staff know nothing."""
    entry = record_no(session, stina, anna)
    path = one_click(app, session, anna, "marketing")
    assert press(app, path) == press(app, path) == 200
    own = select(LedgerEntryRow.id).where(
        LedgerEntryRow.actor == Actor.RECIPIENT, LedgerEntryRow.method == Method.ONE_CLICK
    )
    assert len(session.scalars(own).all()) == 1, "what is repeated after that is"
    session.rollback()
    assert take_back(stina, anna, entry).endswith("done=too-late")
    assert stops(session)


def test_an_own_stop_of_everything_after_that_of_staff_is_no_repeat(
    app: Flask, session: Session, stina: StaffBrowser, anna: RecipientView
) -> None:
    entry = record_no(session, stina, anna, said="stop_everything")
    path = one_click(app, session, anna, "everything")
    assert press(app, path) == press(app, path) == 200
    assert take_back(stina, anna, entry).endswith("done=too-late")
    active = select(SuppressionRow.reason).where(SuppressionRow.lifted_at.is_(None))
    assert SuppressionReason.GLOBAL_STOP in session.scalars(active).all()
    session.rollback()


@pytest.mark.parametrize(("said", "key"), [("no", "marketing"), ("stop_everything", "everything")])
def test_a_no_by_link_in_the_middle_of_taking_back_stands(
    app: Flask,
    session: Session,
    stina: StaffBrowser,
    anna: RecipientView,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    key: str,
) -> None:
    """It is sent when staff's own has been looked at and nothing has been written yet."""
    entry = record_no(session, stina, anna, said=said)
    path, before = one_click(app, session, anna, key), undo._restore
    threads: list[threading.Thread] = []

    def slow(*args: Any, **more: Any) -> list[int]:
        thread = threading.Thread(target=press, args=(app, path))
        thread.start()
        thread.join(2)
        threads.append(thread)
        return before(*args, **more)

    monkeypatch.setattr(undo, "_restore", slow)
    take_back(stina, anna, entry)
    threads[0].join(20)
    assert stops(session)
    if key == "everything":
        active = select(SuppressionRow.reason).where(SuppressionRow.lifted_at.is_(None))
        assert SuppressionReason.GLOBAL_STOP in session.scalars(active).all()
        session.rollback()
