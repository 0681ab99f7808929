"""What one save did, read back from what was stored (D15, T19): never from what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.errors import BadToken
from preferences.domain.purpose import About
from preferences.queries.choices import choice_of
from preferences.queries.ledger import EntryView
from preferences.queries.preference_page import PreferencePage
from preferences.queries.purposes import catalogue
from preferences.services.undo import can_undo, entries_of_save, open_save
from preferences.web.dates import in_words
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, signer

from .opened import Opened, Reach
from .preference_view import Fragment, fragment


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that the save changed, as it stands now."""

    title: str
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


def saved_page(session: Session, opened: Opened, page: PreferencePage, save: str, *, now: datetime) -> Told:
    """Everything the page tells. Raises BadToken for a save that is not this person's."""
    locale, default = request_locale(), settings().default_locale
    changes: tuple[Changed, ...] = ()
    undo, shows_state = "", opened.reach is Reach.FULL
    if save:
        claims = open_save(signer(), save)
        if claims.recipient_id != opened.recipient.id:
            raise BadToken
        changes = tuple(_changes(session, page, entries_of_save(session, claims), locale, default))
        if shows_state and can_undo(claims, now) and not all(one.is_superseded for one in changes):
            undo = save
    return Told(
        changes=changes,
        waiting=tuple(one.described.text(locale, default).title for one in page.waiting) if shows_state else (),
        is_stopped=page.is_stopped,
        undo=undo,
    )


def _changes(
    session: Session, page: PreferencePage, entries: list[EntryView], locale: str, default: str
) -> list[Changed]:
    newest = {entry.key: entry for entry in entries}
    return [_changed(session, page, entry, locale, default) for entry in newest.values()]


def _changed(session: Session, page: PreferencePage, entry: EntryView, locale: str, default: str) -> Changed:
    described = catalogue(session).by_id(entry.purpose_id)
    choice = choice_of(session, entry.recipient_id, entry.purpose_id, entry.training_id)
    control = page.control(entry.purpose_id)
    return Changed(
        title="" if described is None else described.text(locale, default).title,
        now=None if control is None else fragment(control, locale, default, is_topic=False),
        since="" if control is None else in_words(control.since),
        paused_until="" if control is None else in_words(control.paused_until),
        is_everything=described is not None and described.purpose.about is About.EVERYTHING,
        is_superseded=entry.id not in {choice.entry_id, choice.pause_entry_id},
    )
