"""A small company's data to look at: recipients with every kind of choice, trainings, a mailer, a newsletter on its way.

Written once, in one transaction, through the same services that real data comes through. Development only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.intake import IncomingRecipient
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.recipient import RecipientRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_address
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.choices.preferences import pause
from preferences.services.choices.suppression import suppress
from preferences.services.choices.unsubscribe import stop_everything
from preferences.services.intake.intake import apply_intake
from preferences.services.outbox.messages import NO_MESSAGE, number_message
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.photos.trainings import add_participants, add_training
from preferences.services.purposes.purposes import NewPurpose, add_purpose, archive_purpose
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.webhooks.mailers import create_mailer

from .story import begins_at, play_story

DEMO_MAILER = "demo"
SHOWN_RECIPIENT = "anna.ek@nordvik.example"
"""The one whose link the demo prints."""
EVIDENCE = ("source", "wording", "sale_reference", "similar_product", "opt_out_offered")
PAUSE_LASTS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was written: 0 recipients when the demo was there already."""

    recipients: int
    newsletters: int


def seed_demo(session: Session, *, now: datetime) -> Seeded:
    """Write the demo, unless it is there."""
    if mailer_by_key(session, DEMO_MAILER) is not None:
        return Seeded(0, 0)
    data = tomllib.loads(files("preferences.services.demo").joinpath("demo.toml").read_text(encoding="utf-8"))
    mailer_id = create_mailer(session, key=DEMO_MAILER, name="Demobutiken", now=begins_at(now))
    play_story(session, mailer_id, now=now)
    _add_archived_topic(session, data["archived_topic"], now)
    trainings = {one["key"]: _add_training(session, one, now) for one in data["trainings"]}
    people = _add_people(session, data["people"], mailer_id, now)
    for person, entry in zip(people, data["people"], strict=True):
        for act in entry["acts"]:
            _record(session, person.id, act, trainings, mailer_id, now)
        for key in entry.get("trainings", ()):
            add_participants(session, trainings[key], [format_recipient_id(person.id)], now=now)
    sent = _queue_newsletter(session, data, people, now)
    for person, entry in zip(people, data["people"], strict=True):
        _bring_into_state(session, person, entry.get("state"), now)
    return Seeded(len(people), sent)


def shown_recipient(session: Session) -> RecipientView | None:
    """The recipient whose link the demo prints; None when erased or never written."""
    return recipient_by_address(session, parse_address(SHOWN_RECIPIENT))


def _add_archived_topic(session: Session, topic: Mapping[str, Any], now: datetime) -> None:
    parent = catalogue(session).by_key(topic["parent"]).purpose
    add_purpose(
        session,
        NewPurpose(
            key=topic["key"],
            about=parent.about,
            lawful_basis=parent.lawful_basis,
            parent_key=topic["parent"],
            position=99,
            texts=[NoticeText(locale=locale, **text) for locale, text in topic["texts"].items()],
        ),
        now=now,
    )
    archive_purpose(session, topic["key"], now=now)


def _add_training(session: Session, training: Mapping[str, Any], now: datetime) -> int:
    held_on = (now + timedelta(days=training["days"])).date()
    return add_training(session, title=training["title"], place=training["place"], held_on=held_on, now=now)


def _add_people(
    session: Session, people: list[Mapping[str, Any]], mailer_id: int, now: datetime
) -> list[RecipientView]:
    addresses = [parse_address(person["address"]) for person in people]
    rows = [
        IncomingRecipient(
            line=number,
            address=address,
            name=person["name"],
            locale=person["locale"],
            external_id=person["external_id"],
            profile=person.get("profile", {}),
        )
        for number, (person, address) in enumerate(zip(people, addresses, strict=True), start=1)
    ]
    apply_intake(
        session,
        rows,
        source=f"api:{DEMO_MAILER}",
        method=Method.API,
        actor=Actor.MAILER,
        actor_id=mailer_id,
        now=now,
    )
    found = [recipient_by_address(session, address) for address in addresses]
    return [person for person in found if person is not None]


def _record(
    session: Session,
    recipient_id: RecipientId,
    act: Mapping[str, Any],
    trainings: Mapping[str, int],
    mailer_id: int,
    now: datetime,
) -> None:
    """An act of the person's own on our pages, or one that the mailer brought with its evidence."""
    purpose = catalogue(session).by_key(act["purpose"]).purpose
    own = Method(act["method"]) if "method" in act else None
    shown = own is Method.PREFERENCE_PAGE
    record_act(
        session,
        NewAct(
            recipient_id=recipient_id,
            purpose=purpose,
            act=Act(act["act"]),
            basis=LawfulBasis(act["basis"]) if "basis" in act else None,
            training_id=trainings[act["training"]] if "training" in act else EVERY_TRAINING,
            method=own or Method.IMPORT,
            actor=Actor.RECIPIENT if own else Actor.MAILER,
            actor_id=None if own else mailer_id,
            occurred_at=now - timedelta(days=act["days"]),
            notice_version_id=purpose.notice_version_id if shown else None,
            locale="sv" if shown else None,
            evidence={name: act[name] for name in EVIDENCE if name in act},
        ),
        now=now,
    )


def _queue_newsletter(session: Session, data: Mapping[str, Any], people: list[RecipientView], now: datetime) -> int:
    """One newsletter to everybody: the worker asks eligibility as it sends, and drops what must not go (T24)."""
    reference = number_message(session, NO_MESSAGE, data["newsletter_reference"], now=now)
    for person in people:
        enqueue_mail(
            session,
            "newsletter",
            recipient_id=person.id,
            parameters={
                "purpose": data["newsletter_purpose"],
                "reference": reference,
                "content": data["newsletter"].get(person.locale, data["newsletter"]["sv"]),
            },
            now=now,
        )
    return len(people)


def _bring_into_state(session: Session, person: RecipientView, state: str | None, now: datetime) -> None:
    match state:
        case "global_stop":
            stop_everything(session, person.id, method=Method.UNSUBSCRIBE_PAGE, now=now)
        case "paused":
            pause(session, person, until=now + PAUSE_LASTS, locale="sv", now=now)
        case "restricted":
            session.execute(
                update(RecipientRow)
                .where(RecipientRow.id == person.id)
                .values(status=RecipientStatus.RESTRICTED, updated_at=now)
            )
        case "erased":
            erase_recipient(session, person.id, source="demo", now=now)
        case "hard_bounce" if person.address_index is not None:
            suppress(
                session,
                address_index=person.address_index,
                reason=SuppressionReason.HARD_BOUNCE,
                source="esp:demo",
                now=now,
                recipient_id=person.id,
            )
