"""Two members of staff who press at the same moment: one wins, the other is told so, and the audit says what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.rights import RightsKind
from preferences.models.audit import AuditRow
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, PartKind
from preferences.models.outbox import OutboxJobRow
from preferences.models.rights import RightsRequestRow
from preferences.models.transaction import transaction
from preferences.services.rights.rights import Taken, take_request
from tests.factories import make_key, make_recipient
from tests.support.admin_imports import planned, view_of
from tests.support.at_once import at_once
from tests.support.entered_requests import register
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.trainings import make_training

Do = Callable[[], int]


@pytest.fixture
def two(app: Flask, session: Session) -> tuple[StaffBrowser, StaffBrowser]:
    """Two administrators with a page open each."""
    both = signed_in(app, session), signed_in(app, session, address="bo@example.se")
    assert all(one.csrf for one in both)
    return both


def posts(browser: StaffBrowser, path: str, /, **data: str) -> Callable[[], tuple[int, str]]:
    """What one of them is about to send; gives the status and where it leads."""

    def send() -> tuple[int, str]:
        answer = browser.post(path, data)
        if answer.status_code != 303:
            assert Page(answer).title
        return answer.status_code, answer.location or ""

    return send


def asked(session: Session, kind: RightsKind = RightsKind.EXPORT) -> str:
    with transaction() as writing:
        anna = make_recipient(writing)
        taken = take_request(writing, anna.id, kind, details={}, locale="sv", now=datetime.now(UTC))
    assert isinstance(taken, Taken)
    return taken.reference


def of_request(session: Session) -> list[str]:
    """The audit's actions that changed a request."""
    return [one for one in audited(session) if one in {"request_answered", "request_extended", "request_changed"}]


@pytest.mark.parametrize("first", ["answer", "extend"])
def test_a_request_is_answered_once(
    app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser], first: str
) -> None:
    stina, bo = two
    path = f"/admin/requests/{asked(session)}"
    until = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    refuses = posts(bo, f"{path}/answer", outcome="refused", ground="manifestly_unfounded", answer="Nej.")
    fulfils = posts(stina, f"{path}/answer", outcome="fulfilled", answer="Här är det.")
    extends = posts(stina, f"{path}/extend", until=until, reason="Vi letar.")
    before = session.scalar(select(func.count()).select_from(OutboxJobRow)) or 0
    session.rollback()
    found = at_once(app, refuses, fulfils if first == "answer" else extends)
    after = (session.scalar(select(func.count()).select_from(OutboxJobRow)) or 0) - before
    session.rollback()
    won = sorted(status for status, _ in found)
    assert won in ([303, 409], [303, 303]), found
    assert won == [303, 409] or first == "extend", "an extended request may still be refused, an answered one not"
    assert after == won.count(303) == len(of_request(session)), "one mail and one line of the audit for each that won"


def test_who_asks_is_said_once(app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]) -> None:
    stina, bo = two
    anna, eva = make_recipient(session), make_recipient(session, "eva@example.se")
    page = register(stina, known="no", who="", name="Kim", post="Gatan 1")
    found = at_once(
        app,
        posts(stina, f"{page}/person", who=str(anna.address)),
        posts(bo, f"{page}/person", who=str(eva.address)),
    )
    assert sorted(status for status, _ in found) == [303, 422], found
    winner = anna if found[0][0] == 303 else eva
    assert session.scalar(select(RightsRequestRow.recipient_id)) == winner.id


def test_an_import_is_applied_once(app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]) -> None:
    place = planned(two[0])
    at = view_of(place).planned_at
    assert at is not None
    found = at_once(app, *(posts(one, f"{place}/apply", planned_at=at.isoformat()) for one in two))
    assert sorted(status for status, _ in found) == [303, 409]
    assert audited(session).count("import_applied") == 1


def test_an_import_that_one_applies_and_one_discards_is_one_of_both(
    app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]
) -> None:
    stina, bo = two
    place = planned(stina)
    at = view_of(place).planned_at
    assert at is not None
    at_once(app, posts(stina, f"{place}/apply", planned_at=at.isoformat()), posts(bo, f"{place}/discard"))
    stage = session.scalar(select(ImportBatchRow.stage))
    has_file = session.scalar(select(func.count()).where(ImportPartRow.kind == PartKind.FILE))
    assert (stage, bool(has_file)) in {("discarded", False), ("applying", True)}


TEXT = {"lawful_basis": "consent", "do": "publish"}


def test_a_policy_version_is_published_once(
    app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]
) -> None:
    form = {"changes-sv": "Nytt.", "changes-en": "New.", "body-en": "# Time\n\nFive.", "do": "publish"}
    more = {"weight": "major", "based_on": "0"}
    send = [
        posts(one, "/admin/policy/new", **form, **more, **{"body-sv": words})
        for one, words in zip(two, ("Ett.", "Två."), strict=True)
    ]
    found = at_once(app, *send)
    assert sorted(status for status, _ in found) == [303, 409], found
    assert audited(session).count("policy_published") == 1
    told = at_once(app, *(posts(one, "/admin/policy/1/announce") for one in two))
    assert sorted(where.partition("=")[2] for _, where in told) == ["announced", "over"], told
    assert audited(session).count("policy_announced") == 1


def test_a_notice_before_a_training_reaches_everybody_once(
    app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]
) -> None:
    number = make_training(session, *(make_recipient(session, f"person.{one}@example.se") for one in range(20)))
    before = session.scalar(select(func.count()).select_from(OutboxJobRow)) or 0
    session.rollback()
    found = at_once(app, *(posts(one, f"/admin/trainings/{number}/notice") for one in two * 2))
    assert {status for status, _ in found} == {303}
    assert (session.scalar(select(func.count()).select_from(OutboxJobRow)) or 0) - before == 20
    told = session.scalars(select(AuditRow.data).where(AuditRow.action == "photo_notice_sent"))
    assert sum(one["told"] for one in told if one) == 20


@pytest.mark.parametrize(
    ("path", "form", "recorded"),
    [
        ("/admin/mailers", {"key": "shop", "name": "Butiken"}, "mailer_changed"),
        (
            "/admin/staff/invite",
            {"address": "eva@example.se", "name": "Eva", "role": "viewer", "language": "sv"},
            "staff_created",
        ),
        (
            "/admin/forms/new_form",
            {"key": "fair", "heading-sv": "Mässan", "heading-en": "Fair", "purposes": "marketing"},
            "form_changed",
        ),
    ],
)
def test_the_same_thing_is_added_once(
    app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser], path: str, form: dict[str, str], recorded: str
) -> None:
    before = audited(session).count(recorded)
    found = at_once(app, *(posts(one, path, **form) for one in two))
    assert sorted(status for status, _ in found) in ([303, 409], [303, 422], [200, 409]), found
    assert audited(session).count(recorded) - before == 1


def test_a_key_is_revoked_once(app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]) -> None:
    prefix = make_key(session)[3:13]
    found = at_once(app, *(posts(one, f"/admin/mailers/newsletter/keys/{prefix}/revoke") for one in two))
    assert {where.partition("=")[2] for _, where in found} == {"revoked"}, "it is, for both"
    assert audited(session).count("key_revoked") == 1


def test_a_text_is_published_once(app: Flask, session: Session, two: tuple[StaffBrowser, StaffBrowser]) -> None:
    path = "/admin/purposes/surveys/text"
    form = {f"{name}-{locale}": name for name in ("title", "what", "why", "who", "how_long") for locale in ("sv", "en")}
    form |= {"do": "publish", "lawful_basis": "consent", "based_on": "1"}
    fields = [{**form, "what-sv": words} for words in ("Ett nytt ord.", "Ett annat ord.")]
    found = at_once(app, *(posts(one, path, **words) for one, words in zip(two, fields, strict=True)))
    assert sorted(status for status, _ in found) == [303, 409]
    assert audited(session).count("text_published") == 1
