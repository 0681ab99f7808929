"""Takes back what one page just did, within 15 minutes. Appends acts that restore the state before; erases nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.acts import PAUSES, Act, Method
from preferences.domain.capability import UNDO_LASTS, Capability, Claims, LinkSigner, Token
from preferences.domain.choice import Choice, fold
from preferences.domain.errors import BadToken
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.domain.suppression import SuppressionReason
from preferences.queries.choices import choice_of
from preferences.queries.ledger import EntryView, entries_between, entries_of
from preferences.queries.purposes import catalogue
from preferences.queries.recipients import RecipientView

from .consent import NewAct, record_act
from .suppression import lift_suppression


def mint_undo(signer: LinkSigner, recipient: RecipientView, entry_ids: Iterable[int], *, now: datetime) -> Token | None:
    """A token for taking back these entries: held by whoever made the save, by nobody else. None without entries."""
    ids = sorted(entry_ids)
    if not ids or ids[-1] - ids[0] > 0xFFFF:
        return None
    claims = Claims(
        capability=Capability.UNDO,
        recipient_id=recipient.id,
        purpose_id=ids[-1] - ids[0],
        epoch=0,
        issued_at=now,
        reference=ids[0],
    )
    return signer.mint(claims)


def entries_of_save(session: Session, claims: Claims) -> list[EntryView]:
    """What the save behind an undo token wrote."""
    return entries_between(session, claims.recipient_id, claims.reference, claims.reference + claims.purpose_id)


def can_undo(claims: Claims, now: datetime) -> bool:
    """Whether the fifteen minutes still run."""
    return now - claims.issued_at <= UNDO_LASTS


def undo_save(session: Session, recipient: RecipientView, claims: Claims, *, locale: str, now: datetime) -> list[int]:
    """Restore the state before the save. Returns the ids of the entries written; what changed again since stays as it is.

    Raises BadToken when the token is another person's or too old.
    """
    if claims.recipient_id != recipient.id or not can_undo(claims, now):
        raise BadToken
    saved = entries_of_save(session, claims)
    everything = entries_of(session, recipient.id)
    ids = {entry.id for entry in saved}
    written: list[int] = []
    for entry in saved:
        found = catalogue(session).by_id(entry.purpose_id)
        if found is None or _superseded(choice_of(session, recipient.id, entry.purpose_id, entry.training_id), entry):
            continue
        before = fold(other.for_fold() for other in everything if other.key == entry.key and other.id not in ids)
        if found.purpose.about is About.EVERYTHING and recipient.address_index is not None:
            lift_suppression(
                session, address_index=recipient.address_index, reason=SuppressionReason.GLOBAL_STOP, now=now
            )
        written.append(record_act(session, _restoring(recipient, found.purpose, entry, before, locale, now), now=now))
    return written


def _superseded(current: Choice, entry: EntryView) -> bool:
    return entry.id != (current.pause_entry_id if entry.act in PAUSES else current.entry_id)


def _restoring(
    recipient: RecipientView, purpose: Purpose, entry: EntryView, before: Choice, locale: str, now: datetime
) -> NewAct:
    act, basis, until = Act.OBJECTION_LIFTED, before.basis, None
    if entry.act in PAUSES:
        still_paused = before.paused_until is not None and before.paused_until > now
        act, basis = (Act.PAUSED, None) if still_paused else (Act.RESUMED, None)
        until = before.paused_until if still_paused else None
    elif before.act is Act.GIVEN and before.basis is LawfulBasis.CONSENT:
        act = Act.GIVEN
    return NewAct(
        recipient_id=recipient.id,
        purpose=purpose,
        act=act,
        basis=basis,
        training_id=entry.training_id,
        method=Method.PREFERENCE_PAGE,
        occurred_at=now,
        paused_until=until,
        notice_version_id=purpose.notice_version_id,
        locale=locale,
        evidence={"source": f"undo of entry {entry.id}"},
    )
