"""`POST /links`: for each recipient of a message the addresses and headers that belong in it (M1, M9)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from preferences.config import Environment
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.integrations.list_headers import list_headers, list_id_of
from preferences.models.transaction import transaction
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.outbox.messages import NO_MESSAGE, find_message, number_message
from preferences.services.recipients.links import SENTENCES, LinkMinter, LinkSet, NoLink, purpose_to_mail
from preferences.web.access import Access, access
from preferences.web.plumbing import settings, signer

from . import blueprint
from .answers import Answer
from .calls import Call, Effect, call
from .types import PurposeKey, RecipientText, Strict


class LinksAsked(Strict):
    """A message and those who get it."""

    purpose: PurposeKey
    message: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="Your own name for the message or campaign."),
    ] = None
    recipients: Annotated[list[RecipientText], Field(min_length=1)]


class RowError(BaseModel):
    """Why this row has no result; the other rows are not affected."""

    code: str
    detail: str


class Links(BaseModel):
    """The links of one recipient, or the reason why there are none."""

    recipient: Annotated[str, Field(description="As asked for.")]
    id: str | None = None
    unsubscribe_url: Annotated[
        str | None, Field(description="One-click address and confirm page. Never expires; only ever reduces.")
    ] = None
    preferences_url: Annotated[str | None, Field(description="The preference centre. Thirteen months.")] = None
    headers: Annotated[
        dict[str, str] | None,
        Field(description="List-Unsubscribe, List-Unsubscribe-Post, List-Id: set them unchanged."),
    ] = None
    error: RowError | None = None


class LinksMinted(BaseModel):
    """One result for each recipient asked for, in the same order."""

    results: list[Links]


@blueprint.post("/links")
@access(Access.MAILER)
@call(
    scope=Scope.LINKS,
    summary="Mint the links and headers of a message",
    takes=LinksAsked,
    gives=LinksMinted,
    effect=Effect.MINTS,
    bulk="recipients",
    rows="results",
)
def mint_links(call: Call[LinksAsked]) -> Answer:
    """Nothing is stored but the message's name, so links can be minted again at any time: older ones go on working."""
    config, body = settings(), call.body
    list_domain = config.list_domain or config.base_host
    minter = LinkMinter(
        links=MailLinks(
            signer=signer(),
            base_url=config.base_url,
            list_domain=list_domain,
            mail_domain=config.unsubscribe_mail_domain,
        ),
        purpose=purpose_to_mail(call.session, body.purpose),
        reference=_number(call.session, call.key.mailer.id, body.message, call.now),
    )
    list_id = list_id_of(minter.purpose.key, list_domain)
    minted = zip(body.recipients, minter.mint(call.session, body.recipients, now=call.now), strict=True)
    return Answer({"results": [_as_json(asked, one, list_id, config.env) for asked, one in minted]}, rows="results")


def _as_json(asked: str, minted: LinkSet | NoLink, list_id: str, env: Environment) -> dict[str, Any]:
    if isinstance(minted, NoLink):
        return {"recipient": asked, "error": {"code": minted.value, "detail": SENTENCES[minted]}}
    return {
        "recipient": asked,
        "id": format_recipient_id(minted.recipient_id),
        "unsubscribe_url": minted.unsubscribe_url,
        "preferences_url": minted.preferences_url,
        "headers": list_headers(unsubscribe_url=minted.unsubscribe_url, mailto=minted.mailto, list_id=list_id, env=env),
    }


def _number(session: Session, mailer_id: int, reference: str | None, now: datetime) -> int:
    """The message's number; given out in a transaction of its own, so that no lock is held while links are minted."""
    if reference is None:
        return NO_MESSAGE
    known = find_message(session, mailer_id, reference)
    if known is not None:
        return known
    with transaction() as writing:
        return number_message(writing, mailer_id, reference, now=now)
