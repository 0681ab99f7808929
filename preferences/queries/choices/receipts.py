"""What a receipt is made of: one entry of the person's own ledger, with the notice version that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.purpose import About, NoticeText
from preferences.queries.purposes.purposes import catalogue

from .history import HistoryEntry, history

MARKETING_KEY = "marketing"


@dataclass(frozen=True, slots=True)
class ReceiptEntry:
    """One entry with all that a receipt says about it."""

    entry: HistoryEntry
    about: About
    is_marketing: bool
    current: NoticeText
    """The purpose as it is described today, for entries at which nothing of ours was shown."""


def receipt_entry(
    session: Session, recipient_id: RecipientId, entry_id: int, *, locale: str, default_locale: str
) -> ReceiptEntry | None:
    """The person's own entry with this number; None for anybody else's, and for none."""
    found = history(session, recipient_id, locale=locale, default_locale=default_locale, before=entry_id + 1, limit=1)
    if not found or found[0].id != entry_id:
        return None
    return for_receipt(session, found[0], locale=locale, default_locale=default_locale)


def for_receipt(session: Session, entry: HistoryEntry, *, locale: str, default_locale: str) -> ReceiptEntry | None:
    """An entry that was read, with what its receipt says about its purpose; None where the purpose is not known."""
    known = catalogue(session)
    described = known.by_id(entry.purpose_id)
    if described is None:
        return None
    return ReceiptEntry(
        entry=entry,
        about=described.purpose.about,
        is_marketing=known.path_to(described.purpose)[0].key == MARKETING_KEY,
        current=described.text(locale, default_locale),
    )


def entries_of_receipt(
    session: Session, recipient_id: RecipientId, first: int, last: int, *, locale: str, default_locale: str
) -> Sequence[HistoryEntry]:
    """The person's own entries from first to last, oldest first: what one save did."""
    found = history(
        session,
        recipient_id,
        locale=locale,
        default_locale=default_locale,
        before=last + 1,
        limit=last - first + 1,
    )
    return [one for one in reversed(found) if one.id >= first]
