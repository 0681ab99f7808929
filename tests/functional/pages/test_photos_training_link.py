"""The link in the notice before a training: whom it serves, what it tells, what it refuses (T11, T17)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.photo import notice_reference
from preferences.models.recipient import RecipientRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.ledger.verify import verify_ledger
from preferences.services.outbox.messages import number_message
from preferences.services.photos.trainings import remove_participants
from tests.factories import act, link, make_key, make_recipient
from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.photo_pages import save_for_training as save
from tests.support.trainings import make_training, may, notice_path
from tests.support.visits import entries


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and has answered nothing."""
    return make_recipient(session, locale="sv")


@pytest.fixture
def training(session: Session, anna: RecipientView) -> int:
    return make_training(session, anna)


@pytest.fixture
def path(app: Flask, session: Session, training: int) -> str:
    """Where the notice's link leads."""
    return notice_path(app, session, training)


@pytest.fixture(autouse=True)
def ledger_stays_sound(session: Session) -> Iterator[None]:
    yield
    assert verify_ledger(session).is_sound


def test_looking_changes_nothing(client: StrictClient, session: Session, path: str) -> None:
    for _ in range(2):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert entries(session) == []
    assert client.put(path).status_code == 405


def test_an_old_tab_brings_nothing_back(client: StrictClient, session: Session, training: int, path: str) -> None:
    old = get(client, path)
    save(client, path, image="no")
    follow(client, old.form("save").submit(client, {f"answer-photo_name-{training}": "no"}))
    assert may(session, training)[:2] == ("objected", "objected")


def test_the_same_form_twice_has_one_effect(client: StrictClient, session: Session, training: int, path: str) -> None:
    form = get(client, path).form("save")
    for _ in range(2):
        form.submit(client, {f"answer-photo_name-{training}": "no"})
    assert len(entries(session)) == 1


def test_consent_to_advertising_is_not_asked_for_here(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    assert set(get(client, path).answers()) == {f"photo_name-{training}", f"photo_image-{training}"}


def test_a_consent_given_in_general_can_be_withdrawn_for_one_training(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    other = make_training(session, anna)
    act(session, anna, "photo_marketing", Act.GIVEN)
    save(client, path, marketing="no")
    assert (may(session, training)[2], may(session, other)[2]) == ("withdrawn", "allowed")
    assert get(client, path).answers()[f"photo_marketing-{training}"] == "no"


def test_no_other_link_tells_of_a_training(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    make_key(session)
    mailer = mailer_by_key(session, "newsletter")
    assert mailer is not None
    forged = number_message(session, mailer.id, notice_reference(training), now=datetime.now(UTC))
    session.commit()
    for reference in (0, forged, 10_000):
        token = link(anna, capability=Capability.PREFERENCES, reference=reference)
        answer = client.get(f"/p/{token}/training")
        assert (answer.status_code, answer.location) == (303, f"/p/{token}")
        answer = client.post(f"/p/{token}/training", data={"action": "save", f"answer-photo_image-{training}": "no"})
        assert answer.location == f"/p/{token}"
    assert entries(session) == []


def test_somebody_elses_link_does_not_reach_it(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    bo = make_recipient(session, "bo@example.se")
    now = datetime.now(UTC)
    reference = number_message(session, 0, notice_reference(training), now=now)
    session.commit()
    token = link(bo, capability=Capability.PREFERENCES, reference=reference)
    assert client.get(f"/p/{token}/training").location == f"/p/{token}"
    other = link(anna, capability=Capability.UNSUBSCRIBE, reference=reference)
    assert client.get(f"/p/{other}/training").status_code == 404


def test_whoever_is_no_longer_on_the_list_gets_the_normal_page(
    client: StrictClient, session: Session, training: int, path: str
) -> None:
    remove_participants(session, training, ["anna@example.se"])
    session.commit()
    page = follow(client, client.get(path))
    assert page.form("stop")


@pytest.mark.parametrize("status", [RecipientStatus.RESTRICTED, RecipientStatus.ERASED])
def test_blocked_and_erased_people_get_the_page_that_fits(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str, status: RecipientStatus
) -> None:
    form = get(client, path).form("save")
    nothing = {"address": None, "address_index": None} if status is RecipientStatus.ERASED else {}
    session.execute(update(RecipientRow).where(RecipientRow.id == anna.id).values(status=status, **nothing))
    session.commit()
    assert client.get(path).location == path.removesuffix("/training")
    assert form.submit(client, {f"answer-photo_image-{training}": "no"}).status_code == 303
    assert entries(session) == []


def test_after_thirteen_months_the_link_leads_to_a_fresh_one(client: StrictClient, session: Session, path: str) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400), tick=False):
        page = follow(client, client.get(path))
        assert page.form("link")
        assert "Säkerhet i vardagen" not in page.text


def test_whoever_is_told_of_two_trainings_answers_each_by_its_own_link(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    other = make_training(session, anna, title="Att leda på distans")
    second = notice_path(app, session, other)
    assert "Att leda på distans" in get(client, second).text
    save(client, second, image="no")
    assert (may(session, training)[1], may(session, other)[1]) == ("allowed", "objected")
    form = get(client, path).form("save")
    shown = form.fields[f"shown-photo_name-{training}"]
    answer = client.post(
        form.path, data={"action": "save", f"shown-photo_name-{other}": shown, f"answer-photo_name-{other}": "no"}
    )
    assert answer.status_code == 400
    assert may(session, other)[0] == "allowed"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "stop"},
        {"action": "undo"},
        {"action": "save", "answer-photo_image-{n}": "no"},
        {"action": "save", "answer-photo_image-{n}": "maybe", "shown-photo_image-{n}": "{shown}"},
        {"action": "save", "answer-photo_image": "no", "shown-photo_image": "{shown}"},
        {"action": "save", "answer-photo_image-0": "no", "shown-photo_image-0": "{shown}"},
        {"action": "save", "answer-photo_image--{n}": "no", "shown-photo_image--{n}": "{shown}"},
        {"action": "save", "answer-photo_image-99999999999999999999": "no"},
        {"action": "save", "answer-photo_image-٣": "no", "shown-photo_image-٣": "{shown}"},
        {"action": "save", "answer-marketing-{n}": "no", "shown-marketing-{n}": "{shown}"},
        {"action": "save", "answer-marketing": "no", "shown-marketing": "{shown}"},
        {"action": "save", "answer-everything-{n}": "no", "shown-everything-{n}": "{shown}"},
        {"action": "save", "answer-photo_image-{n}": "no", "shown-photo_image-{n}": "yes.999999.sv"},
        {"action": "save", "answer-photo_image-{n}": "no", "shown-photo_image-{n}": "yes.1.sv'--"},
        {"action": "save", "answer-photo_image-{n}": "no", "shown-photo_image-{n}": "{shown}", "extra": "1"},
        {"action": "save", "csrf": "x"},
    ],
)
def test_a_form_that_no_page_of_ours_sent_changes_nothing(
    client: StrictClient, session: Session, training: int, path: str, fields: dict[str, str]
) -> None:
    shown = get(client, path).form("save").fields[f"shown-photo_image-{training}"]
    sent = {name.format(n=training): value.format(shown=shown) for name, value in fields.items()}
    assert client.post(path, data=sent).status_code == 400
    assert entries(session) == []


def test_an_unknown_purpose_is_refused(client: StrictClient, session: Session, training: int, path: str) -> None:
    answer = client.post(path, data={"action": "save", f"answer-nothing-{training}": "no"})
    assert answer.status_code == 422
    assert entries(session) == []


def test_the_page_shows_the_masked_address_and_sets_no_cookie(client: StrictClient, path: str) -> None:
    page = get(client, path)
    assert "a•••@e•••.se" in page.text
    assert "anna@example.se" not in page.html
    assert page.position("Din rätt att invända") < page.position("Mitt namn")
