"""A person's page stays short and cheap however long their history is; what is behind it comes by pages, told and proved."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.domain.webhooks import DeliveryOutcome
from preferences.models.endpoint import DeliveryRow
from preferences.models.ledger import ChoiceRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.mailers.changes import newest_position
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.acknowledge import acknowledge_changes
from tests.factories import act, make_recipient, make_recipients, purpose
from tests.support.on_behalf import entries, said
from tests.support.page import Page
from tests.support.rights import send_all
from tests.support.seals import write_entries
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.statements import statements
from tests.support.trainings import make_training
from tests.support.webhooks import make_endpoint

MOST_FOR_A_PERSON, MOST_FOR_A_LIST = 30, 14


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody with a consent."""
    found = make_recipient(session, locale="sv", name="Anna Ö")
    act(session, found, "marketing", method=Method.DOUBLE_OPT_IN)
    return found


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def path(one: RecipientView) -> str:
    return f"/admin/recipients/{format_recipient_id(one.id)}"


def asked_of(app: Flask, officer: StaffBrowser, pages: list[str]) -> list[int]:
    """For each page the fewest statements of three visits: now and then one looks whether the purposes have changed."""
    found = []
    for page in pages:
        visits = []
        for _ in range(3):
            with statements(app) as seen:
                assert officer.get(page).status_code == 200
            visits.append(len(seen))
        found.append(min(visits))
    return found


def test_pages_ask_as_much_of_the_database_however_much_there_is(
    app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    pages = [path(anna), f"{path(anna)}/history", f"{path(anna)}/told", f"{path(anna)}/preview", "/admin/recipients"]
    few = asked_of(app, officer, pages)
    make_recipients(session, 60)
    write_entries(session, 120, recipient_id=anna.id)
    for number in range(15):
        act(session, anna, "surveys", Act.GIVEN if number % 2 else Act.WITHDRAWN)
    act(session, anna, "photo_name", Act.OBJECTED, training_id=make_training(session, anna))
    session.commit()
    many = asked_of(app, officer, pages)
    assert many == few
    assert max(many) <= MOST_FOR_A_PERSON
    assert many[-1] <= MOST_FOR_A_LIST


def test_history_comes_by_pages_and_by_purpose_and_act(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    write_entries(session, 60, recipient_id=anna.id)
    bo = make_recipient(session, "bo@example.se")
    act(session, bo, "events", Act.OBJECTED)
    page = Page(officer.get(path(anna)))
    assert len(page.all("details", **{"class": "entry"})) == 10
    first = Page(officer.get(f"{path(anna)}/history"))
    (older,) = [one.get("href", "") for one in first.all("a") if "before=" in one.get("href", "")]
    rest = Page(officer.get(older))
    assert [len(one.all("details", **{"class": "entry"})) for one in (first, rest)] == [50, 11]
    assert "Bekräftat från brevlådan" in rest.text
    surveys = purpose(session, "surveys").id
    session.rollback()
    for query, count in {
        f"purpose={surveys}": 50,
        "act=given": 1,
        f"purpose={surveys}&act=given": 0,
        "act=objected": 0,
        "act=x&purpose=x&before=x": 50,
        f"before={2**63 - 1}": 50,
        "purpose=99999": 50,
    }.items():
        narrowed = Page(officer.get(f"{path(anna)}/history?{query}"))
        assert len(narrowed.all("details", **{"class": "entry"})) == count, query
        assert count or "Inget passar." in narrowed.text
    for wrong in ("0000000000000", "x"):
        assert officer.get(f"/admin/recipients/{wrong}/history").status_code == 404
        assert officer.get(f"/admin/recipients/{wrong}/told").status_code == 404


def test_who_was_told_is_said_by_webhook_and_by_feed(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    make_endpoint(session, "http://127.0.0.1:9/hook", mailer="newsletter")
    make_endpoint(session, "http://127.0.0.1:9/shop", mailer="shop")
    act(session, anna, "marketing", Act.WITHDRAWN)
    shop, now = mailer_by_key(session, "shop"), datetime.now(UTC)
    assert shop is not None
    acknowledge_changes(session, shop.id, newest_position(session), now=now)
    first = session.scalars(select(DeliveryRow.id).order_by(DeliveryRow.endpoint_id)).first()
    done = {"outcome": DeliveryOutcome.DELIVERED, "done_at": now, "attempts": 1}
    session.execute(update(DeliveryRow).where(DeliveryRow.id == first).values(done))
    session.commit()
    for page in (path(anna), f"{path(anna)}/told"):
        found = Page(officer.get(page))
        (row,) = [one for one in found.all("tr") if "Tog tillbaka samtycke" in "".join(one[0].itertext())]
        lines = [
            " ".join("".join(line.itertext()).split()) for line in row[1].iter("span") if line.get("class") == "told"
        ]
        day = str(now.year)
        assert [line.partition(": ")[0] for line in lines] == [
            "Newsletter, via webhook",
            "Shop, via webhook",
            "Newsletter, bekräftat i flödet",
            "Shop, bekräftat i flödet",
        ]
        assert [day in line for line in lines] == [True, False, False, True]


def test_the_receipt_of_one_act_is_downloaded_and_on_record(
    app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    entry = act(session, anna, "surveys")
    bo = make_recipient(session, "bo@example.se")
    foreign = act(session, bo, "surveys")
    assert f"{path(anna)}/receipts/{entry}.jsonld" in officer.get(path(anna)).text
    answer = officer.get(f"{path(anna)}/receipts/{entry}.jsonld")
    assert answer.mimetype == "application/ld+json"
    assert json.loads(answer.data)["@type"] == "dpv:ConsentReceipt"
    assert audited(session)[-1] == "evidence_exported"
    for wrong in (foreign, 0, 2**63 - 1, 2**70):
        assert officer.get(f"{path(anna)}/receipts/{wrong}.jsonld").status_code == 404
    assert audited(session).count("evidence_exported") == 1
    marketer = signed_in(app, session, Role.VIEWER, "bo@staff.example.se")
    assert "receipts/" not in marketer.get(path(anna)).text
    assert marketer.get(f"{path(anna)}/receipts/{entry}.jsonld").status_code == 403


def test_a_form_sent_twice_records_once_and_says_the_same(
    app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    for form in (said(session), said(session, said="ask", purpose=str(purpose(session, "surveys").id))):
        session.rollback()
        answers = {officer.post(f"{path(anna)}/act", form).location for _ in range(2)}
        assert len(answers) == 1
    assert [one.act for one in entries(session)] == [Act.GIVEN, Act.WITHDRAWN]
    assert audited(session).count("acted_on_behalf") == 2
    assert len(send_all(app)) == 1
    officer.post(f"{path(anna)}/act", said(session, form="fedcba9876543210", occurred_on="2026-01-05"))
    assert len(entries(session)) == 3


def test_what_was_recorded_by_mistake_is_taken_back_as_staff(
    app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    officer.post(f"{path(anna)}/act", said(session))
    wrong = entries(session)[-1].id
    assert f'name="entry" value="{wrong}"' in officer.get(path(anna)).text
    other = signed_in(app, session, Role.MARKETER, "bo@staff.example.se")
    assert 'name="entry"' not in other.get(path(anna)).text
    for browser, number in ((other, wrong), (officer, wrong - 1), (officer, "x"), (officer, 9**18)):
        assert browser.post(f"{path(anna)}/undo", {"entry": str(number)}).location.endswith("done=too-late")
    assert officer.post(f"{path(anna)}/undo", {"entry": str(wrong)}).location.endswith("done=undone")
    last = entries(session)[-1]
    assert (last.act, last.method, last.actor, last.actor_id) == (
        Act.GIVEN,
        Method.STAFF,
        Actor.STAFF,
        officer.staff.id,
    )
    page = officer.get(f"{path(anna)}/history").text
    assert f"post {wrong}" in page
    assert officer.post(f"{path(anna)}/undo", {"entry": str(last.id)}).location.endswith("done=too-late")
    assert len(entries(session)) == 3


def test_a_stop_of_everything_and_a_yes_are_taken_back_too(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    officer.post(f"{path(anna)}/act", said(session, said="stop_everything"))
    officer.post(f"{path(anna)}/undo", {"entry": str(entries(session)[-1].id)})
    stops = select(SuppressionRow.reason).where(SuppressionRow.lifted_at.is_(None))
    assert SuppressionReason.GLOBAL_STOP not in session.scalars(stops).all()
    session.rollback()
    officer.post(f"{path(anna)}/act", said(session, "surveys", said="yes", proof="Pärm 3", form="f" * 16))
    officer.post(f"{path(anna)}/undo", {"entry": str(entries(session)[-1].id)})
    assert [one.act for one in entries(session)][-2:] == [Act.GIVEN, Act.REVOKED]


def test_nothing_newer_than_the_mistake_is_taken_back(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    officer.post(f"{path(anna)}/act", said(session))
    wrong = entries(session)[-1].id
    act(session, anna, "marketing", Act.WITHDRAWN, occurred_at=datetime.now(UTC) + timedelta(seconds=2))
    assert officer.post(f"{path(anna)}/undo", {"entry": str(wrong)}).location.endswith("done=too-late")
    session.rollback()
    assert session.scalars(select(ChoiceRow.act)).one() is Act.WITHDRAWN
    session.rollback()


def test_staff_end_their_own_stop_and_a_bounce_but_nothing_that_the_person_said(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    assert officer.get(f"{path(anna)}/stop").status_code == 200
    assert officer.post(f"{path(anna)}/stop", {"reason": " "}).status_code == 422
    for code in ("stopped", "nothing"):
        assert officer.post(f"{path(anna)}/stop", {"reason": "Advokat."}).location.endswith(f"done={code}")
    assert anna.address_index is not None
    for reason in (SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.GLOBAL_STOP):
        suppress(session, address_index=anna.address_index, reason=reason, source="test", now=datetime.now(UTC))
    session.commit()
    page = officer.get(path(anna)).text
    for word, status in (("manual", 200), ("hard_bounce", 200), ("complaint", 404), ("global_stop", 404), ("x", 404)):
        end = f"{path(anna)}/stops/{word}/end"
        assert (end in page) is (status == 200)
        assert officer.get(end).status_code == status
        assert officer.post(end, {"reason": ""}).status_code == (422 if status == 200 else 404)
        for code in ("stop-ended", "nothing") if status == 200 else ():
            assert officer.post(end, {"reason": "Ny brevlåda."}).location.endswith(f"done={code}")
    active = select(SuppressionRow.reason).where(SuppressionRow.lifted_at.is_(None)).order_by(SuppressionRow.reason)
    assert session.scalars(active).all() == [SuppressionReason.COMPLAINT, SuppressionReason.GLOBAL_STOP]
    session.rollback()
    found = audited(session)
    assert (found.count("suppression_set"), found.count("suppression_lifted")) == (1, 2)
