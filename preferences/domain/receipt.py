"""A receipt: one entry of the ledger as the copy that is handed to the person (ISO/IEC TS 27560; Kantara Consent Receipt 1.1).

It is made anew from what is stored whenever it is asked for, so it says what the ledger says, and its id is always the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .acts import Act, Actor, Method
from .purpose import About, LawfulBasis, NoticeText

CONSENT_ACTS = frozenset({Act.GIVEN, Act.REFUSED, Act.WITHDRAWN, Act.REVOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptController:
    """Who is responsible (GDPR 4(7)). `country` is ISO 3166-1 alpha-2: jurisdiction, and where the data is stored."""

    name: str
    address: str
    country: str
    email: str
    phone: str
    website: str
    base_url: str
    """Where this service answers: policy, withdrawal and rights are found there."""


@dataclass(frozen=True, slots=True)
class ReceiptWords:
    """What codes mean, in the language of the receipt (D13): the edge has the words."""

    act: str
    method: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Receipt:
    """All that the forms of a receipt tell. Never logged: it holds the address."""

    controller: ReceiptController
    words: ReceiptWords
    language: str
    entry_id: int
    recipient: str
    """The recipient's id as the API writes it."""
    address: str
    purpose_key: str
    about: About
    is_marketing: bool
    """Whether it is the built-in marketing purpose or a topic of it."""
    training: str
    """Which training it is about; empty for all of them, and for mail."""
    act: Act
    basis: LawfulBasis | None
    method: Method
    actor: Actor
    occurred_at: datetime
    recorded_at: datetime
    paused_until: datetime | None
    described: NoticeText
    """The purpose in words: those that stood there, else those of today in the language of the receipt."""
    wording: NoticeText | None
    """The exact text shown; None where nothing of ours was shown (one-click, mailto, acts made elsewhere)."""
    notice_number: int | None
    notice_published_at: datetime | None
    evidence: Mapping[str, Any]
    """What backs it, as far as it is still stored."""
    made_at: datetime
    proof: Mapping[str, Any] | None = None
    """The proof that it was sealed (services.ledger.proofs), where it goes along."""

    @property
    def receipt_id(self) -> str:
        """A UUID of this receipt: the same each time, and different for every entry, person and installation."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.url}#receipt-of-{self.recipient}"))

    @property
    def record_id(self) -> str:
        """A UUID of the record behind it."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.url}#record-of-{self.recipient}"))

    @property
    def url(self) -> str:
        """The page of the receipt, for its owner after step-up."""
        return f"{self.controller.base_url}/me/receipts/{self.entry_id}"

    @property
    def policy_url(self) -> str:
        """The privacy policy."""
        return f"{self.controller.base_url}/policy"

    @property
    def is_about_consent(self) -> bool:
        """Whether the act gives, refuses or ends consent. An objection is none, and no receipt may say that it is."""
        return self.basis is LawfulBasis.CONSENT and self.act in CONSENT_ACTS

    @property
    def title(self) -> str:
        """The purpose, and the training where it is about one."""
        return f"{self.described.title}: {self.training}" if self.training else self.described.title


def utc_text(moment: datetime) -> str:
    """A moment in ISO 8601, UTC, whole seconds."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
