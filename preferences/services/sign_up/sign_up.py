"""Sign-up with double opt-in: what the form says is stored as pending, and only the mailbox makes it count (L1, L2).

Asking never looks at who is known: the same two statements run for everybody, and the worker decides later which mail fits
(services/sign_up_mail.py). So neither the answer nor its time tells anything (T27).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import Address, parse_address
from preferences.domain.capability import Claims, RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import LawfulBasis
from preferences.domain.recipient_id import new_recipient_id
from preferences.domain.sign_up import LIMITS, SIGN_UP_LASTS
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow
from preferences.models.sign_up import SignUpRow
from preferences.models.upsert import insert_into
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.purposes.sign_up import SignUpView, Wish, asked_since, has_stopped_since, sign_up_of
from preferences.services.choices.confirmations import ConfirmOutcome
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.choices.suppression import lift_suppression
from preferences.services.outbox.outbox import enqueue_mail

TEMPLATE = "sign_up"


class SignUpOutcome(StrEnum):
    """What became of a filled-in form. For logs and tests; a page answers the same to all of them."""

    ASKED = "asked"
    LIMITED = "limited"


def ask_to_sign_up(
    session: Session,
    address: Address,
    *,
    form_key: str,
    name: str | None,
    wishes: Sequence[Wish],
    locale: str,
    now: datetime,
) -> SignUpOutcome:
    """Store the sign-up as pending and have the mailbox asked. Limited: nothing is stored and nothing is sent."""
    index = keyring().address_index(address.normal)
    asked = asked_since(session, index, now - max(span for span, _ in LIMITS))
    if any(sum(moment > now - span for moment in asked) >= most for span, most in LIMITS):
        return SignUpOutcome.LIMITED
    sign_up_id = session.execute(
        insert(SignUpRow).returning(SignUpRow.id),
        {
            "form_key": form_key,
            "address": address.original,
            "address_index": index,
            "name": name,
            "asked": [
                {"purpose_id": one.purpose_id, "notice_version_id": one.notice_version_id, "locale": one.locale}
                for one in wishes
            ],
            "locale": locale,
            "asked_at": now,
            "expires_at": now + SIGN_UP_LASTS,
        },
    ).scalar_one()
    enqueue_mail(session, TEMPLATE, recipient_id=None, parameters={"sign_up_id": sign_up_id}, now=now)
    return SignUpOutcome.ASKED


def sign_up_over(session: Session, found: SignUpView | None, now: datetime) -> ConfirmOutcome | None:
    """Why a sign-up can no longer be confirmed; None while it can. A no in between has cancelled it (T13)."""
    if found is None:
        return ConfirmOutcome.EXPIRED
    if found.confirmed_at is not None:
        return ConfirmOutcome.ALREADY
    if found.expires_at <= now or found.address is None:
        return ConfirmOutcome.EXPIRED
    row = session.execute(
        select(RecipientRow.id, RecipientRow.status).where(RecipientRow.address_index == found.address_index)
    ).one_or_none()
    if row is not None and row.status is not RecipientStatus.ACTIVE:
        return ConfirmOutcome.BLOCKED
    if row is not None and has_stopped_since(session, RecipientId(row.id), found.asked_at):
        return ConfirmOutcome.CANCELLED
    return None


def confirm_sign_up(session: Session, claims: Claims, *, now: datetime) -> ConfirmOutcome:
    """Record consent to what was ticked, for a new recipient or the one with this address. Never on GET; repeats do nothing.

    It lifts the person's own no to these purposes and an erasure's stop (there is a new recipient then, with a new id), because
    the mailbox itself asks for it. It never lifts a global stop, a bounce, a complaint or a stop by staff.
    """
    found = sign_up_of(session, claims)
    over = sign_up_over(session, found, now)
    if over is not None or found is None or found.address is None:
        return over or ConfirmOutcome.EXPIRED
    if not _claim(session, found.id, now):
        return ConfirmOutcome.ALREADY
    recipient_id = _recipient(session, found, found.address, now)
    lift_suppression(session, address_index=found.address_index, reason=SuppressionReason.ERASED, now=now)
    known = catalogue(session)
    for wish in found.wishes:
        described = known.by_id(wish.purpose_id)
        if described is not None:
            record_act(
                session,
                NewAct(
                    recipient_id=recipient_id,
                    purpose=described.purpose,
                    act=Act.GIVEN,
                    basis=LawfulBasis.CONSENT,
                    method=Method.DOUBLE_OPT_IN,
                    actor=Actor.RECIPIENT,
                    occurred_at=now,
                    notice_version_id=wish.notice_version_id,
                    locale=wish.locale,
                    evidence=_evidence(found, now),
                ),
                now=now,
            )
    return ConfirmOutcome.CONFIRMED


def forget_sign_ups(session: Session, *, now: datetime) -> int:
    """Delete sign-ups seven days after they were asked for, confirmed or not. Returns how many."""
    result = session.execute(delete(SignUpRow).where(SignUpRow.expires_at <= now))
    return cast("CursorResult[Any]", result).rowcount


def source_of(form_key: str) -> str:
    """How a form is named as the source of data."""
    return f"subscribe:{form_key}"


def _claim(session: Session, sign_up_id: int, now: datetime) -> bool:
    """Clear the sign-up, once: of two confirmations at a time one finds nothing left."""
    result = session.execute(
        update(SignUpRow)
        .where(SignUpRow.id == sign_up_id, SignUpRow.confirmed_at.is_(None))
        .values(confirmed_at=now, address=None, name=None)
    )
    return bool(cast("CursorResult[Any]", result).rowcount)


def _recipient(session: Session, found: SignUpView, typed: str, now: datetime) -> RecipientId:
    """The recipient with this address, made now where there is none. What is already known of somebody is left as it is."""
    address = parse_address(typed)
    session.execute(
        insert_into(session, RecipientRow.__table__)
        .values(
            id=new_recipient_id(),
            address=address.original,
            address_index=found.address_index,
            domain_index=keyring().domain_index(address.domain),
            name=found.name,
            locale=found.locale,
            source=source_of(found.form_key),
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing(index_elements=["address_index"])
    )
    recipient_id = session.scalar(
        select(RecipientRow.id).where(RecipientRow.address_index == found.address_index).with_for_update()
    )
    assert recipient_id is not None  # noqa: S101 - inserted or found just now
    return RecipientId(recipient_id)


def _evidence(found: SignUpView, now: datetime) -> dict[str, Any]:
    """Both steps of the double opt-in; version and language of the wording stand in the entry itself (L2)."""
    return {
        "source": source_of(found.form_key),
        "asked_at": found.asked_at.isoformat(timespec="seconds"),
        "confirmed_at": now.isoformat(timespec="seconds"),
    }
