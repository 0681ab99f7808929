"""What an unsubscribe link shows: read from the database every time, so that it is also the durable confirmation (T19, D15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.capability import Claims
from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.eligibility import Reason, RecipientStatus, Refused
from preferences.domain.purpose import About, NoticeText
from preferences.queries.choices.choices import Standing, standing
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id

_STOPS = frozenset({Reason.REFUSED, Reason.WITHDRAWN, Reason.OBJECTED, Reason.REVOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing that the page can stop: its wording, and what `shown` must say when the button is pressed."""

    text: NoticeText
    notice_version_id: int
    is_stopped: bool
    since: datetime | None
    """When the person stopped it."""
    agreed_at: datetime | None = None
    """A yes that is newer than the mail the link came in (T13)."""
    entry_id: int | None = None
    """The ledger entry that stopped it, where that is about this purpose itself."""

    @property
    def shown(self) -> str:
        """The hidden field that names the wording."""
        return f"{self.notice_version_id}:{self.text.locale}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPage:
    """The page of a good link. `purpose` None: the link is about everything, or its purpose is gone (T12)."""

    masked_address: str
    purpose: Offer | None
    everything: Offer
    about_mail: bool
    """False for photos: a stop of all mailings has nothing to do with them."""

    @property
    def told_of(self) -> int | None:
        """The entry of the opt-out that the page tells of first."""
        offer = self.everything if self.about_mail and self.everything.is_stopped else self.purpose
        return offer.entry_id if offer is not None and offer.is_stopped else None


def recipient_of(session: Session, claims: Claims) -> RecipientView | None:
    """Whom the link belongs to; None when unknown or erased."""
    found = recipient_by_id(session, claims.recipient_id)
    return None if found is None or found.address is None else found


def stop_page(
    session: Session, claims: Claims, recipient: RecipientView, *, locale: str, default_locale: str, at: datetime
) -> StopPage:
    """The state of what this link can stop, in one language."""
    known = catalogue(session)
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    found = known.by_id(claims.purpose_id)
    everything = known.everything()
    about = found.purpose.about if found else About.EVERYTHING
    return StopPage(
        masked_address=recipient.masked_address,
        purpose=_offer(known, found, where, claims, at, found.text(locale, default_locale))
        if found and about is not About.EVERYTHING
        else None,
        everything=Offer(
            text=everything.text(locale, default_locale),
            notice_version_id=everything.purpose.notice_version_id,
            is_stopped=where.stopped_everything,
            since=where.choice(everything.purpose).since,
            entry_id=where.choice(everything.purpose).entry_id,
        ),
        about_mail=about is not About.PUBLICATION,
    )


def _offer(
    known: Catalogue, found: Described, where: Standing, claims: Claims, at: datetime, text: NoticeText
) -> Offer:
    bare = Standing(status=RecipientStatus.ACTIVE, choices=where.choices, suppressions=())
    decision = bare.decide(known.path_to(found.purpose), at)
    stopped = isinstance(decision, Refused) and decision.reason in _STOPS
    choice = where.choice(found.purpose)
    is_newer = not stopped and choice.since is not None and choice.since > claims.issued_at
    return Offer(
        text=text,
        notice_version_id=found.purpose.notice_version_id,
        is_stopped=stopped,
        since=decision.since if isinstance(decision, Refused) and stopped else None,
        agreed_at=choice.since if is_newer else None,
        entry_id=choice.entry_id if choice.stops else None,
    )
