"""Takes back what one page just did, within 15 minutes. Appends acts that restore the state before; erases nothing.

Nothing else can be taken back: what was stopped before the save, or stopped again since, stays stopped (T11, T13).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from preferences.domain.acts import GRANTS, PAUSES, REDUCTIONS, STOPS, Act, Actor, Method
from preferences.domain.capability import UNDO_LASTS, Capability, Claims, LinkSigner, Token
from preferences.domain.choice import Choice, fold
from preferences.domain.eligibility import Step, steps_of
from preferences.domain.errors import BadToken
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.domain.suppression import SuppressionReason
from preferences.queries.choices.choices import choice_of
from preferences.queries.ledger.ledger import EntryView, entries_between, entries_of
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView

from .consent import NewAct, record_act, record_act_if
from .suppression import lift_suppression


@dataclass(frozen=True, slots=True)
class By:
    """Who takes something back, and how."""

    method: Method = Method.PREFERENCE_PAGE
    actor: Actor = Actor.RECIPIENT
    actor_id: int | None = None
    takes_back: frozenset[Act] = REDUCTIONS


@dataclass(frozen=True, slots=True)
class _Restoring:
    """One entry that is taken back, with what the choice was before it."""

    entry: EntryView
    purpose: Purpose
    before: Choice
    by: By
    locale: str | None
    """The language in which the person saw the words again; None where nothing of ours was shown."""


def mint_undo(signer: LinkSigner, recipient: RecipientView, entry_ids: Iterable[int], *, now: datetime) -> Token | None:
    """A token for taking back these entries: held by whoever made the save, by nobody else. None without entries."""
    return _mint(signer, Capability.UNDO, recipient, entry_ids, now)


def mint_receipt(
    signer: LinkSigner, recipient: RecipientView, entry_ids: Iterable[int], *, now: datetime
) -> Token | None:
    """A token that shows what these entries did and takes nothing back: what an undo leads to. None without entries."""
    return _mint(signer, Capability.RECEIPT, recipient, entry_ids, now)


def open_save(signer: LinkSigner, token: str) -> Claims:
    """The claims of an undo or receipt token. Raises BadToken."""
    try:
        return signer.open(token, Capability.UNDO)
    except BadToken:
        return signer.open(token, Capability.RECEIPT)


def entries_of_save(session: Session, claims: Claims) -> list[EntryView]:
    """What the save behind the token wrote: acts of the page, recorded in one go."""
    found = entries_between(session, claims.recipient_id, claims.reference, claims.reference + claims.purpose_id)
    return [entry for entry in found if entry.method is Method.PREFERENCE_PAGE]


def can_undo(claims: Claims, now: datetime) -> bool:
    """Whether the token takes back anything at all, and the fifteen minutes still run."""
    return claims.capability is Capability.UNDO and now - claims.issued_at <= UNDO_LASTS


def undo_save(session: Session, recipient: RecipientView, claims: Claims, *, locale: str, now: datetime) -> list[int]:
    """Restore the state before the save. Returns the ids of the entries written; what changed again since stays as it is.

    Raises BadToken when the token is another person's or too old.
    """
    if claims.recipient_id != recipient.id or not can_undo(claims, now):
        raise BadToken
    return _take_back(session, recipient, entries_of_save(session, claims), By(), locale=locale, now=now)


def take_back(session: Session, recipient: RecipientView, entry_id: int, *, by: By, now: datetime) -> list[int]:
    """Take back one entry that staff recorded, as staff. A yes becomes our own stop; a no becomes what stood before.

    Returns the ids of the entries written: none where something newer stands.
    """
    saved = [entry for entry in entries_between(session, recipient.id, entry_id, entry_id) if entry.method is by.method]
    return _take_back(session, recipient, saved, by, locale=None, now=now)


def _take_back(
    session: Session,
    recipient: RecipientView,
    saved: Sequence[EntryView],
    by: By,
    *,
    locale: str | None,
    now: datetime,
) -> list[int]:
    everything = entries_of(session, recipient.id)
    ids = {entry.id for entry in saved}
    written: list[int] = []
    for entry in saved:
        found = catalogue(session).by_id(entry.purpose_id)
        if found is None or entry.act not in by.takes_back:
            continue
        before = fold(other.for_fold() for other in everything if other.key == entry.key and other.id not in ids)
        if _is_superseded(session, entry, found.purpose, before):
            continue
        written += _restore(session, recipient, _Restoring(entry, found.purpose, before, by, locale), now=now)
    return written


def _is_superseded(session: Session, entry: EntryView, purpose: Purpose, before: Choice) -> bool:
    """Whether a newer act has come after the entry on the same choice, or taking it back would overrule a stop above it.

    What is restored is newer than every stop above. So it is restored only where it prevailed over them before the save.
    """
    current = choice_of(session, entry.recipient_id, entry.purpose_id, entry.training_id)
    if entry.id != (current.pause_entry_id if entry.act in PAUSES else current.entry_id):
        return True
    steps = steps_of(catalogue(session).path_to(purpose), entry.training_id)
    own = Step(purpose, entry.training_id)
    above = [
        choice_of(session, entry.recipient_id, one.purpose.id, one.training_id) for one in steps if own.narrows(one)
    ]
    prevailed_from = before.since if before.act in GRANTS else None
    return any(
        one.stops and one.since is not None and (prevailed_from is None or one.since >= prevailed_from) for one in above
    )


def _restore(session: Session, recipient: RecipientView, one: _Restoring, *, now: datetime) -> list[int]:
    # Later than what it takes back, whatever the clocks say: of two acts at one moment the opt-out stands.
    before, at = one.before, max(now, one.entry.occurred_at + timedelta(microseconds=1))
    if one.entry.act in PAUSES:
        was_paused = before.paused_until is not None and before.paused_until > now
        acts: list[tuple[Act, LawfulBasis | None]] = [(Act.PAUSED if was_paused else Act.RESUMED, None)]
    elif one.entry.act in GRANTS:
        acts = [(Act.REVOKED, None)]
    elif before.act in STOPS:
        return []
    else:
        acts = [_grant(one.purpose, before)]
        if before.is_paused(now):
            acts.append((Act.PAUSED, None))
    first = _write_first(session, one, *acts[0], at)
    if first is None:
        return []
    if one.purpose.about is About.EVERYTHING and recipient.address_index is not None:
        lift_suppression(session, address_index=recipient.address_index, reason=SuppressionReason.GLOBAL_STOP, now=now)
    return [first, *(record_act(session, _new_act(one, act, basis, at), now=at) for act, basis in acts[1:])]


def _write_first(session: Session, one: _Restoring, act: Act, basis: LawfulBasis | None, at: datetime) -> int | None:
    """The entry that takes back. None: the person decided something else in this very moment, and that stands."""
    new = _new_act(one, act, basis, at)
    if act in PAUSES:
        return record_act(session, new, now=at)
    return record_act_if(session, new, replace(one.before, entry_id=one.entry.id), now=at)


def _grant(purpose: Purpose, before: Choice) -> tuple[Act, LawfulBasis | None]:
    if purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return Act.OBJECTION_LIFTED, None
    if before.act is Act.GIVEN and before.basis is LawfulBasis.CONSENT:
        return Act.GIVEN, before.basis
    return Act.OBJECTION_LIFTED, before.basis


def _new_act(one: _Restoring, act: Act, basis: LawfulBasis | None, at: datetime) -> NewAct:
    return NewAct(
        recipient_id=one.entry.recipient_id,
        purpose=one.purpose,
        act=act,
        basis=basis,
        training_id=one.entry.training_id,
        method=one.by.method,
        actor=one.by.actor,
        actor_id=one.by.actor_id,
        occurred_at=at,
        paused_until=one.before.paused_until if act is Act.PAUSED else None,
        notice_version_id=one.purpose.notice_version_id if one.locale else None,
        locale=one.locale,
        evidence={"source": f"undo of entry {one.entry.id}"},
    )


def _mint(
    signer: LinkSigner, capability: Capability, recipient: RecipientView, entry_ids: Iterable[int], now: datetime
) -> Token | None:
    ids = sorted(entry_ids)
    if not ids or ids[-1] - ids[0] > 0xFFFF:
        return None
    return signer.mint(
        Claims(
            capability=capability,
            recipient_id=recipient.id,
            purpose_id=ids[-1] - ids[0],
            epoch=0,
            issued_at=now,
            reference=ids[0],
        )
    )
