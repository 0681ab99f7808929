"""The mails about photos: the notice before a training, that it is cancelled, the receipt of a takedown, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.answer import Answer
from preferences.domain.mailing import MailDropped
from preferences.domain.purpose import LawfulBasis
from preferences.queries.photos.photos import training_choices
from preferences.queries.photos.takedowns import takedown_by_id
from preferences.queries.photos.trainings import Training, training_by_id, training_with
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.mail_links import MailLinks


def photo_notice(
    session: Session,
    recipient: RecipientView,
    payload: Mapping[str, Any],
    *,
    locale: str,
    default_locale: str,
    links: MailLinks,
    now: datetime,
) -> dict[str, Any]:
    """What will be published of whom and where, what the person has answered, and the link to this training's choice.

    Raises MailDropped once the training is over or cancelled, and for whoever is no longer on it.
    """
    training = _training_ahead(session, recipient, payload, now)
    if training.cancelled_at is not None:
        raise MailDropped("training_cancelled")
    [choices] = training_choices(session, recipient.id, [training], at=now)
    link = links.preferences_url(recipient, 0, reference=int(payload["reference"]), now=now)
    return {
        "training": training,
        "is_correction": bool(payload.get("is_correction")),
        "is_resumed": bool(payload.get("is_resumed")),
        "published": [
            {
                "text": one.control.described.text(locale, default_locale),
                "is_stopped": one.control.answer is Answer.NO,
            }
            for one in choices.controls
            if one.control.purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST
        ],
        "link": f"{link}/training",
        "all_choices": link,
    }


def cancellation_mail(
    session: Session, recipient: RecipientView, payload: Mapping[str, Any], *, links: MailLinks, now: datetime
) -> dict[str, Any]:
    """Which training is cancelled, and the link to what the person has answered for it.

    Raises MailDropped once it is over or takes place after all, and for whoever is no longer on it.
    """
    training = _training_ahead(session, recipient, payload, now)
    if training.cancelled_at is None:
        raise MailDropped("training_takes_place")
    link = links.preferences_url(recipient, 0, reference=int(payload["reference"]), now=now)
    return {"training": training, "link": f"{link}/training"}


def _training_ahead(session: Session, recipient: RecipientView, payload: Mapping[str, Any], now: datetime) -> Training:
    training = training_with(session, recipient.id, int(payload["training_id"]))
    if training is None:
        raise MailDropped("not_on_the_training")
    if training.held_on < now.date():
        raise MailDropped("training_over")
    return training


def notice_locale(session: Session, payload: Mapping[str, Any], wanted: str) -> str:
    """The language of a mail about a training: the person's where the training is held in it, else the training's first."""
    training = training_by_id(session, int(payload["training_id"]))
    return training.notice_locale(wanted) if training else wanted


def takedown_mail(
    session: Session, recipient: RecipientView, payload: Mapping[str, Any], *, links: MailLinks, now: datetime
) -> dict[str, Any]:
    """The takedown as it stands now, with a way to the pages that follow it. Raises MailDropped."""
    found = takedown_by_id(session, int(payload["takedown_id"]), recipient.id)
    if found is None:
        raise MailDropped("unknown_takedown")
    return {"takedown": found, "link": links.preferences_url(recipient, 0, reference=0, now=now)}
