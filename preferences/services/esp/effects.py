"""What an ESP's event changes here, through the services that every other way in uses (M11, M12, T10, T20, T28).

A hard bounce stops delivery to the address. A complaint stops informational mail to it, and is the person's objection to what
the mail was about. An unsubscribe at the ESP is the person's own act, by their own time. Everything else is counted and changes
nothing, and nothing an ESP says lifts anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability, Claims, LinkSigner, RecipientId
from preferences.domain.choice import stop_act
from preferences.domain.errors import BadToken
from preferences.domain.esp_events import EspEvent, EspEventType, Severity
from preferences.domain.purpose import About, Purpose
from preferences.domain.rules import EARLIEST
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.stops import stoppable
from preferences.queries.esp.esp import purpose_of_hook
from preferences.queries.purposes.purposes import catalogue
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.messages import find_message

from .events import ClaimedEvent, index_of

COMPLAINED_OF = "marketing"
"""What a complaint is about when nothing says so (M11)."""


@dataclass(frozen=True, slots=True)
class _About:
    """Whom and what an event concerns, as far as that is known, and when it was."""

    recipient_id: RecipientId | None
    address_index: bytes | None
    purpose: Purpose | None
    reference: int | None
    at: datetime
    source: str


def act_on(session: Session, claimed: ClaimedEvent, event: EspEvent, *, signer: LinkSigner, now: datetime) -> str:
    """Do what the event asks for. Returns a short word for it. Repeats, in any order, end in the same state (T28)."""
    match event.type:
        case EspEventType.BOUNCED if event.severity is Severity.HARD:
            return _bounce(session, _about(session, claimed, event, None, now), now)
        case EspEventType.BOUNCED:
            return "soft bounce"
        case EspEventType.COMPLAINED:
            return _complaint(session, _about(session, claimed, event, _claims(event, signer), now), now)
        case EspEventType.UNSUBSCRIBED:
            return _unsubscribe(session, _about(session, claimed, event, _claims(event, signer), now), now)
    return "counted"


def _claims(event: EspEvent, signer: LinkSigner) -> Claims | None:
    """What our own link in the mail says, where the ESP hands it back: addresses in complaints are often left out (M11)."""
    try:
        return signer.open(event.link, Capability.UNSUBSCRIBE) if event.link else None
    except BadToken:
        return None


def _about(session: Session, claimed: ClaimedEvent, event: EspEvent, claims: Claims | None, now: datetime) -> _About:
    index = index_of(event.recipient)
    row = _person(session, claims, index)
    purpose_id = (claims and claims.purpose_id) or purpose_of_hook(session, claimed.mailer_id, claimed.provider)
    found = catalogue(session).by_id(purpose_id) if purpose_id else None
    reference = claims.reference if claims else None
    if not reference and event.message:
        reference = find_message(session, claimed.mailer_id, event.message)
    at = event.occurred_at
    if at is None or at < EARLIEST:
        at = claimed.received_at
    return _About(
        recipient_id=None if row is None else RecipientId(row[0]),
        address_index=index or (None if row is None else row[1]),
        purpose=found.purpose if found is not None and found.purpose.about is About.MAIL else None,
        reference=reference or None,
        at=min(at, now),
        source=f"esp:{claimed.provider}",
    )


def _person(session: Session, claims: Claims | None, index: bytes | None) -> tuple[int, bytes | None] | None:
    """Whom the link names, else whose address it is. An erased person has no address, so nothing must be looked up by none."""
    found = select(RecipientRow.id, RecipientRow.address_index)
    if claims is not None:
        row = session.execute(found.where(RecipientRow.id == claims.recipient_id)).one_or_none()
    elif index is not None:
        row = session.execute(found.where(RecipientRow.address_index == index)).one_or_none()
    else:
        row = None
    return None if row is None else (row[0], row[1])


def _bounce(session: Session, about: _About, now: datetime) -> str:
    return _suppress(session, about, SuppressionReason.HARD_BOUNCE, now)


def _complaint(session: Session, about: _About, now: datetime) -> str:
    """The suppression, and the objection to the purpose at the top of what the mail was about."""
    done = _suppress(session, about, SuppressionReason.COMPLAINT, now)
    if about.recipient_id is None:
        return done
    known = catalogue(session)
    purpose = about.purpose
    if purpose is None:
        purpose = next((one.purpose for one in known.all() if one.purpose.key == COMPLAINED_OF), None)
    if purpose is not None:
        _stop(session, about, about.recipient_id, known.path_to(purpose)[0], now)
    return done


def _unsubscribe(session: Session, about: _About, now: datetime) -> str:
    """What the mail was about is stopped; everything, where that is not known: the person asked for less."""
    if about.recipient_id is None:
        return _suppress(session, about, SuppressionReason.GLOBAL_STOP, now)
    if about.purpose is not None:
        return _stop(session, about, about.recipient_id, about.purpose, now)
    return _stop(session, about, about.recipient_id, catalogue(session).everything().purpose, now)


def _suppress(session: Session, about: _About, reason: SuppressionReason, now: datetime) -> str:
    """By keyed hash, so that it holds for addresses that come in later. What was lifted after the event stays lifted."""
    if about.address_index is None:
        return "no address"
    lifted = session.scalar(
        select(SuppressionRow.id).where(
            SuppressionRow.address_index == about.address_index,
            SuppressionRow.reason == reason,
            SuppressionRow.lifted_at > about.at,
        )
    )
    if lifted is not None:
        return "overtaken"
    applied = suppress(
        session,
        address_index=about.address_index,
        reason=reason,
        source=about.source,
        now=now,
        recipient_id=about.recipient_id,
    )
    return f"suppressed: {reason}" if applied else "known"


def _stop(session: Session, about: _About, recipient_id: RecipientId, purpose: Purpose, now: datetime) -> str:
    """Record the person's act by their own time; the fold decides whether it is the newest, and ties go to it (T28)."""
    current = stoppable(session, recipient_id, purpose.id)
    if current is None:
        return "erased"
    choice = current.choice
    is_overtaken = choice.since is not None and choice.since > about.at
    if (choice.stops and choice.since is not None and choice.since >= about.at) or _is_recorded(
        session, about, recipient_id, purpose
    ):
        return "known"
    is_everything = purpose.about is About.EVERYTHING
    record_act(
        session,
        NewAct(
            recipient_id=recipient_id,
            purpose=purpose,
            act=Act.OBJECTED if is_everything else stop_act(purpose.lawful_basis, choice),
            basis=None if is_everything else choice.basis,
            method=Method.ESP,
            occurred_at=about.at,
            reference=about.reference,
            evidence={"source": about.source},
        ),
        now=now,
    )
    if is_overtaken:
        return "overtaken"
    if is_everything:
        suppress(
            session,
            address_index=current.address_index,
            reason=SuppressionReason.GLOBAL_STOP,
            source=about.source,
            now=now,
            recipient_id=recipient_id,
        )
    return f"stopped: {purpose.key}"


def _is_recorded(session: Session, about: _About, recipient_id: RecipientId, purpose: Purpose) -> bool:
    """Whether this very act is in the ledger already: a replay records nothing twice."""
    found = session.scalar(
        select(LedgerEntryRow.id)
        .where(
            LedgerEntryRow.recipient_id == recipient_id,
            LedgerEntryRow.purpose_id == purpose.id,
            LedgerEntryRow.method == Method.ESP,
            LedgerEntryRow.occurred_at == about.at,
        )
        .limit(1)
    )
    return found is not None
