"""What one save did, read back from what was stored (D15, T19): never from what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.acts import REDUCTIONS
from preferences.domain.errors import BadToken
from preferences.domain.purpose import About
from preferences.queries.choices.choices import choice_of
from preferences.queries.choices.preference_page import PreferencePage
from preferences.queries.ledger.ledger import EntryView
from preferences.queries.photos.photos import training_choices
from preferences.queries.photos.trainings import Training, training_by_id
from preferences.queries.purposes.purposes import catalogue
from preferences.services.choices.undo import can_undo, entries_of_save, open_save
from preferences.web.controls import Fragment
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, signer
from preferences.web.preference_view import waiting_titles

from .opened import Reach
from .photo_view import Shown, shown_control, shown_for_training, training_label


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that the save changed, as it stands now."""

    title: str
    training: str
    """Which training it is about; empty for all of them, and for mail."""
    now: Fragment | None
    """None for «everything», and for a purpose that has been archived since."""
    since: str
    paused_until: str
    is_everything: bool
    is_superseded: bool
    """Changed once more after this save."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the confirmation page says."""

    changes: tuple[Changed, ...]
    waiting: tuple[str, ...]
    is_stopped: bool
    undo: str
    """The token that takes it back; empty where nothing can be taken back any more."""


def saved_page(session: Session, reach: Reach, page: PreferencePage, save: str, *, now: datetime) -> Told:
    """Everything the page tells. Raises BadToken for a save that is not this person's."""
    locale, default = request_locale(), settings().default_locale
    changes: tuple[Changed, ...] = ()
    undo, shows_state = "", reach is Reach.FULL
    if save:
        claims = open_save(signer(), save)
        if claims.recipient_id != page.recipient.id:
            raise BadToken
        entries = entries_of_save(session, claims)
        changes = tuple(_changes(session, page, entries, now=now))
        can_be_undone = any(
            entry.act in REDUCTIONS and not one.is_superseded
            for entry, one in zip(_newest(entries), changes, strict=True)
        )
        if shows_state and can_undo(claims, now) and can_be_undone:
            undo = save
    return Told(
        changes=changes,
        waiting=waiting_titles(page, locale, default) if shows_state else (),
        is_stopped=page.is_stopped,
        undo=undo,
    )


def _newest(entries: list[EntryView]) -> list[EntryView]:
    """The last entry of each choice."""
    return list({entry.key: entry for entry in entries}.values())


def _changes(session: Session, page: PreferencePage, entries: list[EntryView], *, now: datetime) -> Iterator[Changed]:
    known, person = catalogue(session), page.recipient.id
    for entry in _newest(entries):
        described, training = known.by_id(entry.purpose_id), training_by_id(session, entry.training_id)
        shown = _as_it_stands(session, page, entry, training, now)
        choice = choice_of(session, person, entry.purpose_id, entry.training_id)
        yield Changed(
            title="" if described is None else described.text(request_locale(), settings().default_locale).title,
            training="" if training is None else training_label(training),
            now=None if shown is None else shown.one,
            since="" if shown is None else shown.since,
            paused_until="" if shown is None else shown.paused_until,
            is_everything=described is not None and described.purpose.about is About.EVERYTHING,
            is_superseded=entry.id not in {choice.entry_id, choice.pause_entry_id},
        )


def _as_it_stands(
    session: Session, page: PreferencePage, entry: EntryView, training: Training | None, now: datetime
) -> Shown | None:
    """The control as it is now; None for «everything», and for a purpose that has been archived since."""
    if training is not None:
        [choices] = training_choices(session, page.recipient.id, [training], at=now)
        found = (one for one in choices.controls if one.control.purpose.id == entry.purpose_id)
        return next((shown_for_training(one) for one in found), None)
    control = page.control(entry.purpose_id)
    return None if control is None else shown_control(control)
