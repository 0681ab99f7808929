"""Sign-up forms, and what waits for the mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import STOPS
from preferences.domain.capability import Claims, RecipientId
from preferences.domain.purpose import NoticeVersionId
from preferences.domain.sign_up import SignUpForm, mailbox_number
from preferences.models.crypto import BlindIndex
from preferences.models.ledger import LedgerEntryRow
from preferences.models.sign_up import SignUpFormRow, SignUpRow


@dataclass(frozen=True, slots=True)
class Wish:
    """One purpose that somebody ticked, with the wording that stood beside it."""

    purpose_id: int
    notice_version_id: NoticeVersionId
    locale: str


@dataclass(frozen=True, slots=True, repr=False)
class SignUpView:
    """One sign-up as stored. `address` and `name` are gone once it is confirmed, or erased."""

    id: int
    form_key: str
    address: str | None
    address_index: BlindIndex
    name: str | None
    wishes: tuple[Wish, ...]
    locale: str
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None


def sign_up_forms(session: Session) -> list[SignUpForm]:
    """Every form that was added, archived ones too, oldest first."""
    rows = session.scalars(select(SignUpFormRow).order_by(SignUpFormRow.id))
    return [_form(row) for row in rows]


def sign_up_form(session: Session, key: str) -> SignUpForm | None:
    """A form that was added, archived or not."""
    row = session.scalar(select(SignUpFormRow).where(SignUpFormRow.key == key))
    return None if row is None else _form(row)


def sign_up_by_id(session: Session, sign_up_id: int) -> SignUpView | None:
    """One sign-up."""
    row = session.scalar(select(SignUpRow).where(SignUpRow.id == sign_up_id))
    return None if row is None else _view(row)


def sign_up_of(session: Session, claims: Claims) -> SignUpView | None:
    """The sign-up that a link is about; None when it is no longer stored. Numbers come back on SQLite, mailboxes do not."""
    found = sign_up_by_id(session, claims.reference)
    return found if found is not None and mailbox_number(found.address_index) == claims.recipient_id else None


def asked_since(session: Session, address_index: bytes, since: datetime) -> list[datetime]:
    """When this address was signed up, from then on, oldest first."""
    return list(
        session.scalars(
            select(SignUpRow.asked_at)
            .where(SignUpRow.address_index == address_index, SignUpRow.asked_at > since)
            .order_by(SignUpRow.asked_at)
        )
    )


def has_stopped_since(session: Session, recipient_id: RecipientId, since: datetime) -> bool:
    """Whether the person said no to anything from then on."""
    found = session.scalar(
        select(LedgerEntryRow.id)
        .where(
            LedgerEntryRow.recipient_id == recipient_id,
            LedgerEntryRow.act.in_(sorted(STOPS)),
            LedgerEntryRow.occurred_at >= since,
        )
        .limit(1)
    )
    return found is not None


def _form(row: SignUpFormRow) -> SignUpForm:
    return SignUpForm(row.key, dict(row.headings), tuple(row.purpose_keys), row.archived_at)


def _view(row: SignUpRow) -> SignUpView:
    return SignUpView(
        id=row.id,
        form_key=row.form_key,
        address=row.address,
        address_index=BlindIndex(row.address_index),
        name=row.name,
        wishes=tuple(
            Wish(item["purpose_id"], NoticeVersionId(item["notice_version_id"]), item.get("locale") or row.locale)
            for item in row.asked
        ),
        locale=row.locale,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
    )
