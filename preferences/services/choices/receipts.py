"""Receipts: made from the ledger when asked for, and mailed once a save where the person wants that (D15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.domain.capability import RecipientId
from preferences.domain.mailing import MailDropped
from preferences.domain.receipt import Receipt, ReceiptController, ReceiptWords
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.queries.choices.history import HistoryEntry
from preferences.queries.choices.receipts import ReceiptEntry, entries_of_receipt, for_receipt, receipt_entry
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.mail_limits import may_mail
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.outbox.outbox import enqueue_mail

TEMPLATE = "receipt"


class ReceiptMail(StrEnum):
    """Where the mail with a receipt stands."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    LIMITED = "limited"


def receipt_controller(site: Settings) -> ReceiptController:
    """Who is responsible, as the settings say."""
    return ReceiptController(
        name=site.organisation_name,
        address=site.organisation_address,
        country=site.organisation_country,
        email=site.organisation_email,
        phone=site.organisation_phone,
        website=site.organisation_website,
        base_url=site.base_url,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLanguage:
    """How receipts speak: who is responsible, in which language, and the words for codes (the edge has them)."""

    controller: ReceiptController
    locale: str
    default_locale: str
    words: Callable[[HistoryEntry], ReceiptWords]
    training_in_words: Callable[[HistoryEntry], str]


def make_receipt(
    session: Session, recipient: RecipientView, entry_id: int, *, speaks: ReceiptLanguage, now: datetime
) -> Receipt | None:
    """The receipt of one of the person's own entries; None for anybody else's."""
    languages = {"locale": speaks.locale, "default_locale": speaks.default_locale}
    found = receipt_entry(session, recipient.id, entry_id, **languages)
    return None if found is None else _receipt(recipient, found, speaks, now)


def receipt_of(
    session: Session, recipient: RecipientView, entry: HistoryEntry, *, speaks: ReceiptLanguage, now: datetime
) -> Receipt | None:
    """As make_receipt, of an entry that was read from the person's history in the receipt's language: asks nothing more."""
    found = for_receipt(session, entry, locale=speaks.locale, default_locale=speaks.default_locale)
    return None if found is None else _receipt(recipient, found, speaks, now)


def _receipt(recipient: RecipientView, found: ReceiptEntry, speaks: ReceiptLanguage, now: datetime) -> Receipt:
    entry = found.entry
    return Receipt(
        controller=speaks.controller,
        words=speaks.words(entry),
        language=speaks.locale.replace("_", "-"),
        entry_id=entry.id,
        recipient=format_recipient_id(recipient.id),
        address=recipient.address or "",
        purpose_key=entry.purpose_key,
        about=found.about,
        is_marketing=found.is_marketing,
        training=speaks.training_in_words(entry),
        act=entry.act,
        basis=entry.basis,
        method=entry.method,
        actor=entry.actor,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        paused_until=entry.paused_until,
        described=entry.wording or found.current,
        wording=entry.wording,
        notice_number=entry.notice_number,
        notice_published_at=entry.notice_published_at,
        evidence=entry.stated,
        made_at=now,
    )


def receipt_asked(session: Session, recipient_id: RecipientId, first: int) -> ReceiptMail:
    """Whether a receipt from this entry on has been asked for; as long as the outbox remembers it (30 days)."""
    payloads = session.scalars(
        select(OutboxJobRow.payload).where(OutboxJobRow.recipient_id == recipient_id, OutboxJobRow.kind == JobKind.MAIL)
    )
    asked = any(one.get("template") == TEMPLATE and one.get("first") == first for one in payloads)
    return ReceiptMail.ASKED if asked else ReceiptMail.NOT_ASKED


def ask_for_receipt(
    session: Session, recipient_id: RecipientId, first: int, last: int, *, locale: str, now: datetime
) -> ReceiptMail:
    """Have the worker mail a receipt of these entries to the address on file, once. Limited as all our own mail is (T27)."""
    if receipt_asked(session, recipient_id, first) is ReceiptMail.ASKED:
        return ReceiptMail.ASKED
    if not may_mail(session, recipient_id, now=now):
        return ReceiptMail.LIMITED
    parameters = {"first": first, "last": last, "locale": locale}
    enqueue_mail(session, TEMPLATE, recipient_id=recipient_id, parameters=parameters, now=now)
    return ReceiptMail.ASKED


def receipt_mail(
    session: Session,
    recipient: RecipientView,
    payload: Mapping[str, Any],
    *,
    locale: str,
    default_locale: str,
    links: MailLinks,
    now: datetime,
) -> dict[str, Any]:
    """What goes into the mail: each act with the words that stood there. Raises MailDropped when there is none."""
    first, last = int(payload["first"]), int(payload["last"])
    acts = entries_of_receipt(session, recipient.id, first, last, locale=locale, default_locale=default_locale)
    if not acts:
        raise MailDropped("nothing_to_receipt")
    return {"acts": acts, "link": links.preferences_url(recipient, 0, reference=0, now=now)}
