"""Why somebody stopped: asked after it is stored, one tap, optional, theirs alone to tell (D4, L4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability
from preferences.domain.reasons import StopReason
from preferences.models.stop_reason import StopReasonRow
from preferences.queries.choices.stop_reasons import ReasonCount, reason_counts
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.messages import number_message
from preferences.services.webhooks.mailers import create_mailer
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Form, Page, follow, get
from tests.support.step_up import step_up
from tests.support.visits import entries, preferences_url

QUESTION = "Varför, om du vill berätta"


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and consented to marketing."""
    found = make_recipient(session, locale="sv")
    act(session, found, "marketing")
    return found


def reasons(session: Session) -> list[StopReasonRow]:
    """Everything that was answered."""
    found = list(session.scalars(select(StopReasonRow).order_by(StopReasonRow.entry_id)))
    session.expunge_all()
    session.rollback()
    return found


def why(page: Page) -> Form:
    """The question's form."""
    (form,) = [one for one in page.forms() if one.path.startswith("/r/")]
    return form


def stopped(client: StrictClient, path: str) -> Page:
    """Press the first button of an unsubscribe page."""
    return follow(client, get(client, path).forms()[0].submit(client, {"stop": "purpose"}))


def unsubscribe_url(session: Session, recipient: RecipientView, key: str = "marketing", reference: int = 0) -> str:
    """The link in a mail."""
    return f"/u/{link(recipient, purpose(session, key), reference=reference)}"


def test_nobody_is_asked_before_it_is_stored(client: StrictClient, session: Session, anna: RecipientView) -> None:
    for path in (unsubscribe_url(session, anna), preferences_url(anna)):
        assert QUESTION not in get(client, path).text


def test_after_the_stop_one_tap_answers(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = stopped(client, unsubscribe_url(session, anna))
    assert page.position("Det är sparat") < page.position(QUESTION)
    assert "Det du har stoppat förblir stoppat oavsett" in page.text
    answered = follow(client, why(page).submit(client, {"reason": "too_often"}))
    assert "Du svarade ”För ofta”" in answered.text
    (row,) = reasons(session)
    assert (row.entry_id, row.purpose_id, row.reason) == (
        entries(session)[-1].id,
        purpose(session, "marketing").id,
        StopReason.TOO_OFTEN,
    )


def test_every_reason_is_a_button_of_the_same_kind(client: StrictClient, session: Session, anna: RecipientView) -> None:
    form = why(stopped(client, unsubscribe_url(session, anna)))
    buttons = list(form.element.iter("button"))
    assert [one.get("value") for one in buttons] == list(StopReason)
    assert len({one.get("class") for one in buttons}) == 1
    assert not list(form.element.iter("textarea"))


def test_another_tap_changes_the_answer(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = stopped(client, unsubscribe_url(session, anna))
    for reason in StopReason:
        page = follow(client, why(page).submit(client, {"reason": reason}))
        pressed = [one.get("value") for one in why(page).element.iter("button") if one.get("aria-pressed") == "true"]
        assert pressed == [reason]
    assert [row.reason for row in reasons(session)] == [StopReason.OTHER]


def test_answering_changes_no_choice(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = stopped(client, unsubscribe_url(session, anna))
    before = len(entries(session))
    follow(client, why(page).submit(client, {"reason": "other"}))
    assert len(entries(session)) == before


def test_the_preference_centre_asks_about_everything_that_the_save_stopped(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    form = get(client, preferences_url(anna)).form("save")
    page = follow(client, form.submit(client, {"answer-marketing": "no", "answer-events": "no"}))
    assert page.position("Så här är det nu") < page.position(QUESTION)
    answered = follow(client, why(page).submit(client, {"reason": "not_relevant"}))
    assert answered.title.startswith("Sparat")
    assert "Du svarade ”Inte intressant för mig”" in answered.text
    stops = [entry for entry in entries(session) if entry.act in {Act.WITHDRAWN, Act.OBJECTED}]
    assert {row.entry_id for row in reasons(session)} == {entry.id for entry in stops}
    assert len(stops) == 2


def test_stopping_everything_asks_too(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = follow(client, get(client, preferences_url(anna)).form("stop").submit(client))
    follow(client, why(page).submit(client, {"reason": "changed_work"}))
    assert reasons(session)[0].purpose_id == purpose(session, "everything").id


def test_a_pause_or_a_yes_asks_nothing(client: StrictClient, session: Session, anna: RecipientView) -> None:
    paused = follow(client, get(client, preferences_url(anna)).form("pause").submit(client, {"length": "1"}))
    wanted = follow(client, get(client, preferences_url(anna)).form("save").submit(client, {"answer-surveys": "yes"}))
    assert QUESTION not in paused.text + wanted.text


def test_a_one_click_gets_its_short_page_and_the_question_waits_on_the_link(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    path = unsubscribe_url(session, anna)
    answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert QUESTION not in answer.text
    follow(client, why(get(client, path)).submit(client, {"reason": "never_asked"}))
    assert [row.reason for row in reasons(session)] == [StopReason.NEVER_ASKED]


def test_the_answer_is_tied_to_the_message_whose_link_was_used(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    now = datetime.now(UTC)
    create_mailer(session, key="letters", name="Letters", now=now)
    mailer = mailer_by_key(session, "letters")
    assert mailer is not None
    message = number_message(session, mailer.id, "week-48", now=now)
    session.commit()
    bo = make_recipient(session, "bo@example.se")
    for person in (anna, bo):
        page = stopped(client, unsubscribe_url(session, person, reference=message))
        why(page).submit(client, {"reason": "too_often"})
    page = stopped(client, unsubscribe_url(session, anna, "events"))
    why(page).submit(client, {"reason": "other"})
    day = timedelta(days=1)
    counted = reason_counts(session, since=now - day, until=now + day)
    assert counted == [
        ReasonCount("marketing", "Letters", "week-48", StopReason.TOO_OFTEN, 2),
        ReasonCount("events", None, None, StopReason.OTHER, 1),
    ]
    assert reason_counts(session, since=now + day, until=now + 2 * day) == []
    session.rollback()


def test_the_question_is_gone_after_a_day_and_answers_are_no_longer_taken(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    path = unsubscribe_url(session, anna)
    form = why(stopped(client, path))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, minutes=1)):
        assert QUESTION not in get(client, path).text
        assert QUESTION not in follow(client, form.submit(client, {"reason": "other"})).text
    assert reasons(session) == []


def test_what_others_recorded_asks_nothing(client: StrictClient, session: Session, anna: RecipientView) -> None:
    act(session, anna, "marketing", Act.WITHDRAWN, method=Method.API)
    assert QUESTION not in get(client, unsubscribe_url(session, anna)).text


def test_only_the_holder_of_the_persons_own_link_can_answer(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    bo = make_recipient(session, "bo@example.se")
    form = why(stopped(client, unsubscribe_url(session, anna)))
    strangers = [
        link(bo, purpose(session, "marketing")),
        link(bo, capability=Capability.PREFERENCES),
        link(anna, capability=Capability.CONFIRM),
        link(anna, capability=Capability.STEP_UP),
        "x",
    ]
    for token in strangers:
        answer = client.post(f"/r/{token}", data={**form.fields, "reason": "other"})
        assert answer.status_code == 404
    assert reasons(session) == []


def test_entries_cannot_be_chosen_freely(client: StrictClient, session: Session, anna: RecipientView) -> None:
    bo = make_recipient(session, "bo@example.se")
    other = act(session, bo, "marketing", Act.WITHDRAWN, method=Method.ONE_CLICK)
    path = why(stopped(client, unsubscribe_url(session, anna))).path
    abouts = [
        link(bo, capability=Capability.RECEIPT, reference=other),
        link(anna, capability=Capability.PREFERENCES, reference=other),
        link(anna, capability=Capability.UNSUBSCRIBE, reference=other),
        str(other),
        "",
    ]
    for about in abouts:
        assert client.post(path, data={"about": about, "reason": "other"}).status_code == 404
    mine = link(anna, capability=Capability.RECEIPT, reference=other)
    assert client.post(path, data={"about": mine, "reason": "other"}).status_code == 303
    assert reasons(session) == [], "an entry of somebody else is never explained"


@pytest.mark.parametrize("reason", ["", "TOO_OFTEN", "x" * 3000, "too_often\x00", "<script>"])
def test_other_reasons_are_refused(client: StrictClient, session: Session, anna: RecipientView, reason: str) -> None:
    form = why(stopped(client, unsubscribe_url(session, anna)))
    assert form.submit(client, {"reason": reason}).status_code == 400
    assert client.post(form.path, data={**form.fields, "reason": "x" * 5000}).status_code == 413
    assert reasons(session) == []


def test_the_question_speaks_the_language_of_the_page(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    stopped(client, unsubscribe_url(session, anna))
    page = get(client, unsubscribe_url(session, anna) + "?lang=en")
    assert "Why, if you want to tell" in page.text
    answered = follow(client, why(page).submit(client, {"reason": "too_often"}))
    assert answered.language == "en"
    assert "You answered “Too often”." in answered.text


def test_reasons_stand_in_the_persons_history(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    why(stopped(client, unsubscribe_url(session, anna))).submit(client, {"reason": "too_often"})
    assert "Skälet du angav: För ofta." in step_up(app, anna).client.get("/me/history").text
