"""Mints links for many recipients of one message. Nothing is stored: a link is its signature (M9, T12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.capability import Capability, Claims, RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidAddress, UnknownPurpose
from preferences.domain.purpose import Purpose
from preferences.domain.recipient_id import read_recipient_id
from preferences.models.crypto import BlindIndex, keyring
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.links import LinkTarget, targets_by_address, targets_by_id
from preferences.services.outbox.mail_links import MailLinks


class NoLink(StrEnum):
    """Why there are no links for one of the recipients asked for."""

    INVALID_ADDRESS = "invalid_address"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    ERASED = "erased"


SENTENCES = {
    NoLink.INVALID_ADDRESS: "This is neither a recipient's id nor an email address.",
    NoLink.UNKNOWN_RECIPIENT: "There is no recipient with this id or address; add them with PUT /recipients first.",
    NoLink.ERASED: "The person was erased at their request and must not be contacted again.",
}


@dataclass(frozen=True, slots=True)
class LinkSet:
    """The addresses of one recipient. `mailto` is a bare address; None where no gateway reads mail (M10)."""

    recipient_id: RecipientId
    unsubscribe_url: str
    preferences_url: str
    mailto: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMinter:
    """What the links of one message share. `reference` is the message's number; 0 for none."""

    links: MailLinks
    purpose: Purpose
    reference: int = 0

    def mint(self, session: Session, identifiers: Sequence[str], *, now: datetime) -> list[LinkSet | NoLink]:
        """The links of each recipient, named by id or address, in the order asked. Restricted ones have links like others."""
        unsubscribe, preferences = (
            self.links.signer.minter(capability, self.purpose.id, issued_at=now, reference=self.reference)
            for capability in (Capability.UNSUBSCRIBE, Capability.PREFERENCES)
        )
        base_url = self.links.base_url
        return [
            target
            if isinstance(target, NoLink)
            else LinkSet(
                target.id,
                f"{base_url}/u/{unsubscribe(target.id, target.epoch)}",
                f"{base_url}/p/{preferences(target.id, target.epoch)}",
                self._mailto(target, now),
            )
            for target in _targets(session, identifiers)
        ]

    def _mailto(self, target: LinkTarget, now: datetime) -> str | None:
        if not self.links.mail_domain:
            return None
        token = self.links.signer.mint_mail(
            Claims(
                capability=Capability.UNSUBSCRIBE,
                recipient_id=target.id,
                purpose_id=self.purpose.id,
                epoch=target.epoch,
                issued_at=now,
                reference=self.reference,
            )
        )
        return f"unsubscribe+{token}@{self.links.mail_domain}"


def purpose_to_mail(session: Session, key: str) -> Purpose:
    """The purpose or topic that a message belongs to. Raises UnknownPurpose, also when it is archived."""
    purpose = catalogue(session).by_key(key).purpose
    if purpose.is_archived:
        raise UnknownPurpose(f"{key!r} is archived: nothing is sent for it any more.", pointer="/purpose")
    return purpose


def _targets(session: Session, identifiers: Sequence[str]) -> list[LinkTarget | NoLink]:
    found: list[LinkTarget | NoLink] = [NoLink.INVALID_ADDRESS] * len(identifiers)
    ids: list[RecipientId] = []
    id_places: list[int] = []
    indexes: list[BlindIndex] = []
    index_places: list[int] = []
    address_index = keyring().address_index
    for place, identifier in enumerate(identifiers):
        if "@" in identifier:
            try:
                indexes.append(address_index(parse_address(identifier).normal))
            except InvalidAddress:
                continue
            index_places.append(place)
        elif (recipient_id := read_recipient_id(identifier)) is not None:
            ids.append(recipient_id)
            id_places.append(place)
    _put(found, id_places, targets_by_id(session, ids))
    _put(found, index_places, targets_by_address(session, indexes))
    return found


def _put(found: list[LinkTarget | NoLink], places: Sequence[int], targets: dict[int, LinkTarget]) -> None:
    for number, place in enumerate(places):
        target = targets.get(number)
        if target is None:
            found[place] = NoLink.UNKNOWN_RECIPIENT
        else:
            found[place] = NoLink.ERASED if target.status is RecipientStatus.ERASED else target
