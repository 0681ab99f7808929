"""Writes a decided batch in bulk: recipients, ledger entries with their evidence, choices, stops and change events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, update
from sqlalchemy.orm import Session

from preferences.domain.acts import STOPS, Act, Actor, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.purpose import About, LawfulBasis
from preferences.domain.suppression import SuppressionReason
from preferences.models.bulk import TakenMeanwhile, bulk_insert, bulk_update, fresh_ids, stored_moment
from preferences.models.crypto import keyring
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow, ConfirmationRow, EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.models.upsert import insert_into
from preferences.queries.imports.intake import waiting_confirmations
from preferences.services.choices.consent import event_for
from preferences.services.choices.recording import permission_is_newer
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.fan_out import fan_out_many, has_listeners

from .decide import PROVISIONAL, Batch, Decided
from .prepare import Sealed, seal_profile, seal_text

_RECIPIENT = (
    *("id", "address", "address_index", "domain_index", "external_id", "external_index", "name", "profile"),
    *("locale", "status", "link_epoch", "source", "created_at", "updated_at"),
)
_ENTRY = (
    *("id", "recipient_id", "purpose_id", "training_id", "act", "basis", "method", "actor", "actor_id"),
    *("occurred_at", "recorded_at", "evidence_digest"),
)
_EVIDENCE = ("entry_id", "recipient_id", "content")
_CHOICE = ("recipient_id", "purpose_id", "training_id", "act", "basis", "since", "entry_id")
_EVENT = ("type", "recipient_id", "entry_id", "recorded_at")

_TEXT = {value: value.value for values in (Act, LawfulBasis, EventType) for value in values}
"""What the columns store; looked up, because `.value` is slow and a million rows need it."""

Moment = Callable[[datetime | None], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a batch comes from: kept with new recipients (`source`) and with every ledger entry."""

    source: str
    method: Method
    actor: Actor
    actor_id: int | None


def write_batch(session: Session, batch: Batch, *, origin: Origin, now: datetime) -> None:
    """Write everything that was decided. Raises TakenMeanwhile when a rival transaction changed what was looked up."""
    moment = stored_moment(session)
    rows = batch.rows
    stored_now = moment(now)
    made = (RecipientStatus.ACTIVE.value, 1, origin.source[:100], stored_now, stored_now)
    new = [_recipient_values(one, made) for one in rows if one.is_new]
    bulk_insert(session, RecipientRow.__table__, _RECIPIENT, new)
    _update_recipients(session, [one for one in rows if one.update is not None], stored_now)
    acts = [one for one in rows if one.act is not None]
    if acts:
        _write_acts(session, batch, acts, origin=origin, now=now, moment=moment)


def _recipient_values(one: Decided, made: tuple[Any, ...]) -> tuple[Any, ...]:
    prepared, sealed = one.prepared, _sealed(one)
    assert prepared is not None  # noqa: S101 - only prepared rows become new
    return (
        one.recipient_id,
        sealed.address,
        prepared.address_index,
        sealed.domain_index,
        sealed.external_id,
        prepared.external_index,
        sealed.name,
        sealed.profile,
        prepared.locale or None,
        *made,
    )


def _sealed(one: Decided) -> Sealed:
    assert one.prepared is not None  # noqa: S101 - only prepared rows are written
    assert one.prepared.sealed is not None  # noqa: S101 - and they are sealed before
    return one.prepared.sealed


def _update_recipients(session: Session, rows: Sequence[Decided], now: Any) -> None:
    columns = ("external_id", "external_index", "name", "profile", "locale", "updated_at")
    bulk_update(
        session, RecipientRow.__table__, columns, [(*_update_values(one), now, one.recipient_id) for one in rows]
    )


def _update_values(one: Decided) -> tuple[Any, ...]:
    """External id with its index, name, profile, locale: what is new, else what lies there."""
    stored, change = one.stored, one.update
    assert stored is not None  # noqa: S101 - only recipients on record are updated
    assert change is not None  # noqa: S101
    external_id, external_index = stored.external_id, stored.external_index
    if change.external_id is not None:
        external_id = seal_text(change.external_id, b"recipients.external_id")
        external_index = keyring().external_index(change.external_id)
    name = stored.name if change.name is None else seal_text(change.name, b"recipients.name")
    profile = stored.profile if change.profile is None else seal_profile(change.profile)
    return external_id, external_index, name, profile, change.locale or stored.locale


def _write_acts(
    session: Session, batch: Batch, acts: Sequence[Decided], *, origin: Origin, now: datetime, moment: Moment
) -> None:
    ids = fresh_ids(session, LedgerEntryRow.__table__, len(acts))
    recorded_at = moment(now)
    who = (origin.method.value, origin.actor.value, origin.actor_id)
    entries: list[tuple[Any, ...]] = []
    evidence: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for entry_id, one in zip(ids, acts, strict=True):
        act = one.act
        assert act is not None  # noqa: S101 - only rows with an act get here
        sealed = _sealed(one)
        entries.append(
            (
                entry_id,
                one.recipient_id,
                act.purpose.id,
                EVERY_TRAINING,
                _TEXT[act.act],
                act.basis and _TEXT[act.basis],
                *who,
                moment(act.occurred_at),
                recorded_at,
                sealed.evidence_digest,
            )
        )
        if sealed.evidence is not None:
            evidence.append((entry_id, one.recipient_id, sealed.evidence))
        if one.folds:
            events.append((_TEXT[event_for(act.purpose, act.act)], one.recipient_id, entry_id, recorded_at))
    bulk_insert(session, LedgerEntryRow.__table__, _ENTRY, entries, rows_a_statement=50)
    bulk_insert(session, EvidenceRow.__table__, _EVIDENCE, evidence)
    _write_choices(session, batch, acts, ids, moment)
    _write_events(session, events)
    stops = [one for one in acts if one.act is not None and one.act.stops]
    _cancel_confirmations(session, stops, now)
    _stop_everything(session, stops, origin, now)


def _write_events(session: Session, events: list[tuple[Any, ...]]) -> None:
    """The change events, and what endpoints have to hear of them."""
    if not events or not has_listeners(session):
        bulk_insert(session, ChangeEventRow.__table__, _EVENT, events, rows_a_statement=50)
        return
    ids = fresh_ids(session, ChangeEventRow.__table__, len(events))
    rows = [(event_id, *event) for event_id, event in zip(ids, events, strict=True)]
    bulk_insert(session, ChangeEventRow.__table__, ("id", *_EVENT), rows, rows_a_statement=50)
    fan_out_many(session, ids)


def _write_choices(session: Session, batch: Batch, acts: Sequence[Decided], ids: Sequence[int], moment: Moment) -> None:
    """New recipients' choices are inserted; those of people on record are folded in, and must still be the newest."""
    fresh = {one.recipient_id for one in batch.rows if one.is_new}
    plain: list[tuple[Any, ...]] = []
    folded: list[dict[str, Any]] = []
    for (recipient_id, purpose_id), choice in sorted(batch.choices.items()):
        entry_id = ids[(choice.entry_id or 0) - PROVISIONAL]
        act, basis, since = choice.act, choice.basis, choice.since
        assert act is not None  # noqa: S101 - only permission acts are taken in
        if recipient_id in fresh:
            values = (_TEXT[act], basis and _TEXT[basis], moment(since), entry_id)
            plain.append((recipient_id, purpose_id, EVERY_TRAINING, *values))
            continue
        keys = {"recipient_id": recipient_id, "purpose_id": purpose_id, "training_id": EVERY_TRAINING}
        folded.append({**keys, "act": act, "basis": basis, "since": since, "entry_id": entry_id})
    bulk_insert(session, ChoiceRow.__table__, _CHOICE, plain)
    if not folded:
        return
    statement = insert_into(session, ChoiceRow.__table__)
    statement = statement.on_conflict_do_update(
        index_elements=["recipient_id", "purpose_id", "training_id"],
        set_={name: statement.excluded[name] for name in ("act", "basis", "since", "entry_id")},
        where=permission_is_newer(statement.excluded) & _lifts_nothing(statement.excluded),
    )
    result = session.execute(statement, folded, execution_options={"preserve_rowcount": True})
    if result.rowcount != len(folded):  # type: ignore[attr-defined]
        raise TakenMeanwhile


def _lifts_nothing(excluded: Any) -> Any:
    """Not a grant upon a stop: one that was made since we looked counts, whatever the times say (T21)."""
    stops: list[Any] = [literal_column(f"'{act}'") for act in sorted(STOPS)]
    return excluded.act.in_(stops) | ChoiceRow.act.is_(None) | ChoiceRow.act.not_in(stops)


def _cancel_confirmations(session: Session, stops: Sequence[Decided], now: datetime) -> None:
    """What was asked for before a stop must not be turned on by an old mail afterwards (T13)."""
    stopped_at: dict[int, datetime] = {}
    for one in stops:
        if one.stored is not None and one.act is not None:
            stopped_at[one.stored.id] = max(one.act.occurred_at, stopped_at.get(one.stored.id, one.act.occurred_at))
    cancelled = [
        confirmation_id
        for confirmation_id, recipient_id, asked_at in waiting_confirmations(session, stopped_at)
        if asked_at <= stopped_at[recipient_id]
    ]
    if cancelled:
        session.execute(update(ConfirmationRow).where(ConfirmationRow.id.in_(cancelled)).values(cancelled_at=now))


def _stop_everything(session: Session, stops: Sequence[Decided], origin: Origin, now: datetime) -> None:
    for one in stops:
        if one.act is not None and one.prepared is not None and one.act.purpose.about is About.EVERYTHING:
            suppress(
                session,
                address_index=one.prepared.address_index,
                reason=SuppressionReason.GLOBAL_STOP,
                source=origin.source,
                now=now,
                recipient_id=one.recipient_id,
            )
