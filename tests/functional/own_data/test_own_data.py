"""`/me`: everything that is held about a person, in plain words, for nobody but that person (L8, T6, T11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.profile import PROFILE_FIELDS
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.domain.reasons import StopReason
from preferences.domain.rights import RightsKind, RightsState
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models import Base
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.choices.undo import mint_undo, undo_save
from preferences.services.choices.unsubscribe import Shown, stop_everything
from preferences.services.purposes.purposes import publish_version
from preferences.web.recipient.own.nav import OWN_PAGES
from preferences.web.recipient.own.words import WORDS
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.full_person import PROFILE, make_full_person
from tests.support.step_up import open_own_data, step_up

PAGES = (
    "/me",
    "/me/data",
    "/me/choices",
    "/me/history",
    "/me/why",
    "/me/senders",
    "/me/copy",
    "/me/print",
    "/me/export.json",
)

VOCABULARIES: dict[str, type[StrEnum]] = {
    "act": Act,
    "method": Method,
    "actor": Actor,
    "basis": LawfulBasis,
    "suppression": SuppressionReason,
    "scope": SuppressionScope,
    "status": RecipientStatus,
    "request": RightsKind,
    "request_state": RightsState,
    "takedown": TakedownWhat,
    "takedown_state": TakedownState,
    "stop_reason": StopReason,
    "event": EventType,
}


def _rows(session: Session) -> dict[str, list[Any]]:
    """Everything that is stored."""
    found = {
        table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
        for table in Base.metadata.sorted_tables
    }
    session.rollback()
    return found


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_a_new_person_of_whom_nothing_is_recorded(app: Flask, session: Session, path: str) -> None:
    answer = open_own_data(app, session).client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_looking_at_ones_own_data_changes_nothing(app: Flask, session: Session) -> None:
    me = step_up(app, make_full_person(session))
    before = _rows(session)
    for path in PAGES:
        assert me.client.get(path).status_code == 200
        assert me.client.head(path).status_code == 200
    after = _rows(session)
    assert [name for name in before if repr(before[name]) != repr(after[name])] == []


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("path", [path for path in PAGES if path != "/me/export.json"])
def test_every_page_keeps_the_language_chosen_on_it(app: Flask, session: Session, path: str, language: str) -> None:
    me = step_up(app, make_full_person(session))
    page = me.client.get(f"{path}?lang={language}").text
    assert f'<html lang="{language}" dir="ltr">' in page
    assert f'action="/me/sign-out?lang={language}"' in page


def test_the_menu_leads_to_pages_that_are_there(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    overview = me.client.get("/me").text
    for page in OWN_PAGES:
        assert f'href="{page.path}"' in overview
        assert me.client.get(page.path).status_code == 200
    assert 'aria-current="page"' in me.client.get("/me/data").text


def test_what_we_hold_is_shown_in_clear(app: Flask, session: Session) -> None:
    page = step_up(app, make_full_person(session)).client.get("/me/data").text
    for value in (
        *PROFILE.values(),
        "Anna.Akesson@example.se",
        "Anna Åkesson",
        "kund-10027",
        "Newsletter",
        "Svetskurs A",
    ):
        assert value.replace("<", "&lt;").replace(">", "&gt;") in page
    for words in (
        "Var vi fick din adress",
        "R-AAAA0001",
        "Du får vårt skriftliga svar senast",
        "Vi väntar på Bolagsverket",
    ):
        assert words in page


@pytest.mark.parametrize("kind", ["", "api:", "import:", "subscribe:", "esp:", "staff:"])
def test_hostile_data_is_shown_as_text(app: Flask, session: Session, kind: str) -> None:
    evil = "<script>alert(1)</script>\u202e"
    anna = make_recipient(session, name=evil, profile=dict.fromkeys(PROFILE_FIELDS, evil), source=f"{kind}{evil}")
    act(session, anna, "surveys", Act.GIVEN, evidence={"source": evil, "wording": evil})
    me = step_up(app, anna)
    for path in PAGES:
        if path != "/me/export.json":
            assert "<script>alert" not in me.client.get(path).text


def test_choices_tell_their_basis_and_since_when(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "surveys", Act.GIVEN, basis=LawfulBasis.CONSENT)
    act(session, anna, "events", Act.OBJECTED)
    page = step_up(app, anna).client.get("/me/choices?lang=en").text
    assert "You consented on" in page
    assert "Lawful basis: Your consent." in page
    assert "You objected on" in page
    assert "Lawful basis: Our legitimate interest, as long as you do not object." in page


def test_the_link_to_change_choices_is_the_persons_own(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    page = me.client.get("/me/choices").text
    path = page.partition('class="button" href="')[2].partition('"')[0]
    assert path.startswith("/p/")
    assert "a•••@e•••.se" in client.get(path).text


def test_stops_are_told_in_plain_words(app: Flask, session: Session) -> None:
    page = step_up(app, make_full_person(session)).client.get("/me/choices?lang=en").text
    assert "An email from us was reported as spam" in page
    assert "Our staff stopped mail to your address" in page
    assert "Ended " in page
    for code in ("hard_bounce", "complaint", "global_stop", "esp:ses", "staff:7"):
        assert code not in page


def test_history_shows_the_words_of_the_time_not_those_of_today(app: Flask, session: Session) -> None:
    anna = make_recipient(session, locale="en")
    surveys = purpose(session, "surveys")
    act(
        session,
        anna,
        "surveys",
        Act.GIVEN,
        method=Method.PREFERENCE_PAGE,
        notice_version_id=surveys.notice_version_id,
        locale="sv",
    )
    words = {"title": "Nya ord", "what": "Allt är nytt", "why": "Därför", "who": "Vi", "how_long": "Länge"}
    text = NoticeText(locale="sv", **words)
    publish_version(session, "surveys", texts=[text], lawful_basis=LawfulBasis.CONSENT, now=datetime.now(UTC))
    session.commit()
    page = step_up(app, anna).client.get("/me/history").text
    assert "The text that was shown: version 1, Swedish" in page
    assert '<p lang="sv" dir="ltr">Vi frågar ibland vad du tycker' in page
    assert "Vi frågar ibland vad du tycker" in page
    assert "Allt är nytt" not in page


def test_history_says_undo_in_plain_words(app: Flask, session: Session) -> None:
    anna = make_recipient(session, locale="en")
    now = datetime.now(UTC)
    everything = purpose(session, "everything")
    stopped = stop_everything(
        session, anna.id, method=Method.PREFERENCE_PAGE, now=now, shown=Shown(everything.notice_version_id, "en")
    )
    token = mint_undo(app.extensions["preferences.signer"], anna, [stopped.entry_id or 0], now=now)
    claims = app.extensions["preferences.signer"].open(token, Capability.UNDO)
    undo_save(session, anna, claims, locale="en", now=now)
    session.commit()
    page = step_up(app, anna).client.get("/me/history").text
    assert "You stopped all mailings." in page
    assert "You took back what you had just done." in page
    assert "undo of entry" not in page


def test_long_histories_come_in_pages_and_nothing_is_left_out(app: Flask, session: Session) -> None:
    anna = make_recipient(session, locale="en")
    for number in range(30):
        act(
            session, anna, "surveys", Act.GIVEN if number % 2 else Act.WITHDRAWN, evidence={"source": f"form {number}."}
        )
    me = step_up(app, anna)
    first = me.client.get("/me/history").text
    older = first.partition("before=")[2].partition('"')[0]
    second = me.client.get(f"/me/history?before={older}").text
    seen = [number for number in range(30) if (f"form {number}." in first) != (f"form {number}." in second)]
    assert seen == list(range(30))
    assert "before=" not in second


@pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 40, "1e3", ""])
def test_a_page_of_history_that_is_not_there_is_empty_or_the_first(app: Flask, session: Session, before: str) -> None:
    assert open_own_data(app, session).client.get(f"/me/history?before={before}").status_code == 200


def test_senders_and_what_was_recorded_for_them_are_told(app: Flask, session: Session) -> None:
    page = step_up(app, make_full_person(session)).client.get("/me/senders?lang=en").text
    assert "Newsletter" in page
    assert "A choice of yours, Feedback surveys: You withdrew your consent" in page
    assert "A choice about your name or image, My image: You objected" in page
    assert "Mail to your address was stopped: Our staff stopped mail to your address" in page
    assert "acknowledged" not in page


def test_nobody_elses_data_is_on_the_pages(app: Flask, session: Session) -> None:
    make_full_person(session)
    me = open_own_data(app, session, "bo@example.se")
    for path in PAGES:
        text = me.client.get(path).get_data(as_text=True)
        for value in ("Anna", "kund-10027", "R-AAAA0001", "Svetskurs", "nyadress"):
            assert value not in text, path


def test_a_restricted_person_sees_that_and_everything_else(app: Flask, session: Session) -> None:
    anna = make_full_person(session)
    session.execute(update(RecipientRow).where(RecipientRow.id == anna.id).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    found = recipient_by_id(session, anna.id)
    session.rollback()
    assert found is not None
    me = step_up(app, found)
    assert "spärrade på din begäran" in me.client.get("/me").text
    assert all(me.client.get(path).status_code == 200 for path in PAGES)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_code_has_plain_words(vocabulary: str) -> None:
    words: Mapping[str, Any] = WORDS[vocabulary]
    assert [code for code in VOCABULARIES[vocabulary] if code not in words] == []


def test_every_page_weighs_less_than_50_kilobytes(app: Flask, session: Session) -> None:
    me = step_up(app, make_full_person(session))
    assert {path: len(me.client.get(path).data) for path in PAGES if len(me.client.get(path).data) > 50_000} == {}


def test_a_token_link_in_the_page_is_not_needed_to_see_it(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    assert app.test_client().get(f"/me?token={link(anna, capability=Capability.PREFERENCES)}").status_code == 303
