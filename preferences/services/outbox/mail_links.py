"""The links that mail carries, as full addresses: minted when the message is made, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from preferences.domain.address_change import Side
from preferences.domain.capability import Capability, Claims, LinkSigner
from preferences.domain.sign_up import mailbox_number
from preferences.queries.recipients.recipients import RecipientView


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLinks:
    """The signer with the public addresses of this installation."""

    signer: LinkSigner
    base_url: str
    list_domain: str
    """The domain in List-Id."""
    mail_domain: str = ""
    """The domain whose mail the gateway reads; empty: no mailto."""

    def unsubscribe_url(self, recipient: RecipientView, purpose_id: int, *, reference: int, now: datetime) -> str:
        """The one-click address, which is also the confirm page."""
        token = self.signer.mint(self._claims(Capability.UNSUBSCRIBE, recipient, purpose_id, reference, now))
        return f"{self.base_url}/u/{token}"

    def preferences_url(self, recipient: RecipientView, purpose_id: int, *, reference: int, now: datetime) -> str:
        """The preference centre."""
        token = self.signer.mint(self._claims(Capability.PREFERENCES, recipient, purpose_id, reference, now))
        return f"{self.base_url}/p/{token}"

    def confirm_url(self, recipient: RecipientView, confirmation_id: int, *, now: datetime) -> str:
        """The page that confirms what was asked for."""
        token = self.signer.mint(self._claims(Capability.CONFIRM, recipient, 0, confirmation_id, now))
        return f"{self.base_url}/c/{token}"

    def sign_up_url(self, sign_up_id: int, address_index: bytes, *, now: datetime) -> str:
        """The page that confirms a sign-up: bound to the mailbox, because there may be no recipient yet."""
        claims = Claims(
            capability=Capability.SIGN_UP,
            recipient_id=mailbox_number(address_index),
            purpose_id=0,
            epoch=0,
            issued_at=now,
            reference=sign_up_id,
        )
        return f"{self.base_url}/c/{self.signer.mint(claims)}"

    def step_up_url(self, recipient: RecipientView, step_up_id: int, *, now: datetime) -> str:
        """The page that opens own data once (T11)."""
        token = self.signer.mint(self._claims(Capability.STEP_UP, recipient, 0, step_up_id, now))
        return f"{self.base_url}/s/{token}"

    def address_url(self, recipient: RecipientView, change_id: int, side: Side, *, now: datetime) -> str:
        """The page on which one of the two mailboxes answers to a change of address."""
        capability = Capability.ADDRESS_OLD if side is Side.OLD else Capability.ADDRESS_NEW
        token = self.signer.mint(self._claims(capability, recipient, 0, change_id, now))
        return f"{self.base_url}/c/address/{token}"

    def mailto(self, recipient: RecipientView, purpose_id: int, *, reference: int, now: datetime) -> str | None:
        """The address that unsubscribes whoever is written to it about; None without a gateway (M10)."""
        if not self.mail_domain:
            return None
        token = self.signer.mint_mail(self._claims(Capability.UNSUBSCRIBE, recipient, purpose_id, reference, now))
        return f"unsubscribe+{token}@{self.mail_domain}"

    @staticmethod
    def _claims(
        capability: Capability, recipient: RecipientView, purpose_id: int, reference: int, now: datetime
    ) -> Claims:
        return Claims(
            capability=capability,
            recipient_id=recipient.id,
            purpose_id=purpose_id,
            epoch=recipient.link_epoch,
            issued_at=now,
            reference=reference,
        )
