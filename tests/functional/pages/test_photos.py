"""`/me/photos`: name and image apart, for all trainings or for one; consent to advertising by itself (L11, L17)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.purpose import LawfulBasis
from preferences.models.ledger import EvidenceRow
from preferences.services.ledger.verify import verify_ledger
from tests.factories import make_recipient, purpose
from tests.support.page import follow
from tests.support.photo_pages import own_photos as page
from tests.support.photo_pages import save_own_photos as save
from tests.support.step_up import SteppedUp, step_up
from tests.support.trainings import make_training, may
from tests.support.visits import entries, mails


@pytest.fixture
def me(app: Flask, session: Session) -> SteppedUp:
    """Anna, who reads Swedish, with own data open."""
    return step_up(app, make_recipient(session, locale="sv"))


@pytest.fixture
def training(session: Session, me: SteppedUp) -> int:
    return make_training(session, me.recipient)


@pytest.fixture(autouse=True)
def ledger_stays_sound(session: Session) -> Iterator[None]:
    yield
    assert verify_ledger(session).is_sound


def test_name_and_image_are_answered_apart(session: Session, me: SteppedUp, training: int) -> None:
    told = save(me, {"photo_image": "no"})
    assert "Min bild Du invände den" in told.text
    assert may(session, training) == ("allowed", "objected", "no_basis")
    save(me, {"photo_name": "no"})
    assert may(session, training) == ("objected", "objected", "no_basis")
    assert [(entry.act, entry.training_id) for entry in entries(session)] == [(Act.OBJECTED, 0)] * 2


def test_one_training_is_answered_by_itself(session: Session, me: SteppedUp, training: int) -> None:
    other = make_training(session, me.recipient, title="Att leda på distans")
    told = save(me, {f"photo_name-{training}": "no"})
    assert "Mitt namn: Säkerhet i vardagen, Göteborg" in told.text
    assert (may(session, training)[0], may(session, other)[0]) == ("objected", "allowed")


def test_yes_counts_at_once_because_the_mailbox_has_proved_itself(
    session: Session, me: SteppedUp, training: int
) -> None:
    save(me, {"photo_image": "no"})
    waiting = len(mails(session))
    told = save(me, {"photo_image": "yes", f"photo_image-{training}": "yes"})
    assert "Du tog tillbaka din invändning den" in told.text
    assert may(session, training)[1] == "allowed"
    assert len(mails(session)) == waiting
    entry = next(one for one in entries(session) if one.act is Act.OBJECTION_LIFTED)
    shown = purpose(session, "photo_image").notice_version_id
    assert (entry.act, entry.method, entry.notice_version_id, entry.locale) == (
        Act.OBJECTION_LIFTED,
        Method.PREFERENCE_PAGE,
        shown,
        "sv",
    )
    proof = session.scalars(select(EvidenceRow.content).where(EvidenceRow.entry_id == entry.id)).one()
    session.rollback()
    assert proof["source"].startswith("the mailbox proved itself 20")


def test_advertising_needs_a_consent_of_its_own(session: Session, me: SteppedUp, training: int) -> None:
    assert page(me).answers()["photo_marketing"] == "unset"
    save(me, {"photos": "no"})
    yes = dict.fromkeys(("photo_name", "photo_image", f"photo_name-{training}", f"photo_image-{training}"), "yes")
    save(me, {"photos": "yes", **yes})
    assert may(session, training) == ("allowed", "allowed", "no_basis")
    assert page(me).answers()["photo_marketing"] == "unset"
    told = save(me, {"photo_marketing": "yes"})
    assert "Namn och bild i reklam Du samtyckte den" in told.text
    assert may(session, training)[2] == "allowed"
    assert entries(session)[-1].basis is LawfulBasis.CONSENT


def test_consent_to_advertising_gives_nothing_else_back(session: Session, me: SteppedUp, training: int) -> None:
    save(me, {"photo_name": "no", "photo_image": "no"})
    save(me, {"photo_marketing": "yes"})
    assert may(session, training) == ("objected", "objected", "allowed")


def test_consent_is_withdrawn_as_easily_as_it_was_given(session: Session, me: SteppedUp, training: int) -> None:
    save(me, {"photo_marketing": "yes"})
    save(me, {f"photo_marketing-{training}": "no"})
    assert may(session, training)[2] == "withdrawn"
    save(me, {"photo_marketing": "no"})
    assert page(me).answers()["photo_marketing"] == "no"


def test_a_training_may_be_allowed_where_the_rest_is_not(session: Session, me: SteppedUp, training: int) -> None:
    other = make_training(session, me.recipient)
    save(me, {"photos": "no"})
    shown = page(me)
    assert "Du har sagt nej till ”Namn och bild från utbildningar (alla utbildningar)”" in shown.choice(
        f"photo_image-{training}"
    )
    save(me, {f"photo_image-{training}": "yes"}, shown)
    assert (may(session, training)[1], may(session, other)[1]) == ("allowed", "objected")
    assert may(session, training)[0] == "objected"
    save(me, {"photo_image": "yes"})
    save(me, {"photo_image": "no"})
    assert may(session, training)[1] == "objected"


def test_no_in_general_and_yes_for_one_may_be_said_in_one_save(session: Session, me: SteppedUp, training: int) -> None:
    other = make_training(session, me.recipient)
    save(me, {f"photo_image-{training}": "no"})
    with time_machine.travel(datetime.now(UTC), tick=False):
        save(me, {"photo_image": "no", f"photo_image-{training}": "yes"})
    assert (may(session, training)[1], may(session, other)[1]) == ("allowed", "objected")


def test_a_no_that_stands_on_the_form_is_not_turned_into_yes_by_another_answer(
    session: Session, me: SteppedUp, training: int
) -> None:
    """All is no; the person says yes in general and leaves no for one training: that is what they get."""
    save(me, {"photo_image": "no"})
    save(me, {"photo_image": "yes"})
    assert may(session, training)[1] == "objected"
    assert "Du invände den" in page(me).choice(f"photo_image-{training}")
    save(me, {f"photo_image-{training}": "yes"})
    assert may(session, training)[1] == "allowed"


def test_an_old_tab_brings_nothing_back(session: Session, me: SteppedUp, training: int) -> None:
    old = page(me)
    save(me, {"photo_image": "no", "photo_name": "no"})
    save(me, {"photo_marketing": "yes"}, old)
    assert may(session, training) == ("objected", "objected", "allowed")
    assert page(me).answers()["photo_image"] == "no"


def test_undo_takes_back_refusals_and_nothing_else(session: Session, me: SteppedUp, training: int) -> None:
    told = save(me, {"photo_image": "no", "photo_marketing": "yes", f"photo_name-{training}": "no"})
    form = next(one for one in told.forms() if one.path == "/me/photos/undo")
    follow(me.client, form.submit(me.client))
    assert may(session, training) == ("allowed", "allowed", "allowed")
    count = len(entries(session))
    follow(me.client, form.submit(me.client))
    assert len(entries(session)) == count
    told = save(me, {"photo_marketing": "no"})
    told = save(me, {"photo_marketing": "yes"})
    assert "/me/photos/undo" not in told.html


def test_undo_ends_after_fifteen_minutes(session: Session, me: SteppedUp, training: int) -> None:
    told = save(me, {"photo_image": "no"})
    form = next(one for one in told.forms() if one.path == "/me/photos/undo")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        follow(me.client, form.submit(me.client))
    assert may(session, training)[1] == "objected"
