"""Corrects and completes a person's own profile: at once where the company allows it, else as a rights request (GDPR 16; L9).

Nothing is lost between two tabs: every field comes with the fingerprint of the value that its page showed, and one that is
stored differently by now is handed back instead of overwritten. Mailers are told which fields changed (GDPR 19).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.corrections import NAME, OWN_FIELDS, Correction, Wrong, find_wrong, is_changed
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.rights import NotTaken, RightsKind
from preferences.models.recipient import RecipientRow
from preferences.services.outbox.outbox import tell_change

from .rights import may_ask, record_done, take_request


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of a form: the references of what was done and of what was asked for. None: there was nothing to change."""

    references: tuple[str, ...]


Problems = Mapping[str, Wrong]
"""Fields that could not be taken. Then nothing of the form was stored."""


def correct(
    session: Session,
    recipient_id: RecipientId,
    sent: Sequence[Correction],
    *,
    at_once: Collection[str],
    locale: str,
    now: datetime,
) -> Corrected | Problems | NotTaken:
    """Store what differs from what the person saw, whole or not at all. `at_once` names the fields that need no check.

    While data is blocked (GDPR 18) nothing is changed at once: everything is asked for.
    """
    row = session.execute(
        select(RecipientRow.status, RecipientRow.name, RecipientRow.profile)
        .where(RecipientRow.id == recipient_id)
        .with_for_update()
    ).one_or_none()
    if row is None or row.status is RecipientStatus.ERASED:
        return NotTaken.GONE
    stored = {**(row.profile or {}), NAME: row.name or ""}
    changed = [one for one in sent if one.field in OWN_FIELDS and is_changed(one, stored.get(one.field, ""))]
    problems = {one.field: found for one in changed if (found := find_wrong(one, stored.get(one.field, "")))}
    if problems:
        return problems
    if changed and not may_ask(session, recipient_id, now=now):
        return NotTaken.TOO_MANY_TODAY
    allowed = set(at_once) if row.status is RecipientStatus.ACTIVE else set()
    checked = [one for one in changed if one.field not in allowed]
    references = []
    if checked:
        wanted = {one.field: one.value for one in checked}
        taken = take_request(
            session, recipient_id, _kind(checked, stored), details={"wanted": wanted}, locale=locale, now=now
        )
        if isinstance(taken, NotTaken):
            return taken
        references.append(taken.reference)
    done = [one for one in changed if one.field in allowed]
    if done:
        references.insert(0, _store(session, recipient_id, done, stored, locale=locale, now=now))
    return Corrected(tuple(references))


def _store(
    session: Session,
    recipient_id: RecipientId,
    done: Sequence[Correction],
    stored: Mapping[str, str],
    *,
    locale: str,
    now: datetime,
) -> str:
    """Write the new values; an empty one takes the field away. What stood there before is kept nowhere."""
    after = {**stored, **{one.field: one.value for one in done}}
    profile = {name: value for name, value in after.items() if name != NAME and value}
    session.execute(
        update(RecipientRow)
        .where(RecipientRow.id == recipient_id)
        .values(name=after[NAME] or None, profile=profile, updated_at=now)
    )
    fields = [one.field for one in done]
    tell_change(
        session, EventType.RECIPIENT_CORRECTED, recipient_id=recipient_id, now=now, data={"fields": sorted(fields)}
    )
    return record_done(session, recipient_id, _kind(done, stored), details={"fields": fields}, locale=locale, now=now)


def _kind(changes: Sequence[Correction], stored: Mapping[str, str]) -> RightsKind:
    """Completing is adding what was missing; everything else corrects."""
    return RightsKind.CORRECT if any(stored.get(one.field) for one in changes) else RightsKind.COMPLETE
