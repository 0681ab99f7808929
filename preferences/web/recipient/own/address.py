"""`/me/address`: asking for another address; `/c/address/<token>`: the two mailboxes' answers (T11, T26)."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.address import mask_address
from preferences.domain.address_change import AddressChange, ChangeState, Side
from preferences.domain.capability import Capability, Claims
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import BadToken
from preferences.extensions import limiter
from preferences.models.transaction import reading, transaction
from preferences.queries.recipients.address_changes import address_change, newest_address_change
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.recipients.address_change import (
    AskOutcome,
    ask_address_change,
    cancel_waiting_changes,
    confirm_address_change,
    refuse_address_change,
)
from preferences.web.access import Access, access
from preferences.web.forms import AddressForm, messages
from preferences.web.locale import keeping_language, request_locale, speak
from preferences.web.plumbing import signer, utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient

log = structlog.get_logger()

ANSWERS_PER_HOUR = "60 per hour"
"""For one client."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the page of one mailbox shows."""

    side: Side
    state: ChangeState
    said_yes: bool
    is_blocked: bool
    old_address: str
    new_address: str
    """Masked, both: the mail may have been forwarded. Empty once it is over."""


@blueprint.get("/me/address")
@access(Access.STEP_UP)
def own_address() -> str:
    """The form, and how a change that was asked for stands."""
    return _page()


@blueprint.post("/me/address")
@access(Access.STEP_UP)
def change_address() -> Response | tuple[str, int]:
    """Write to both mailboxes. What is known about the new address shows neither in the answer nor in its time (T27)."""
    form = AddressForm(request.form)
    if not form.validate() or form.parsed is None:
        return _page(form=form, errors=messages(form)), 422
    with transaction() as session:
        outcome = ask_address_change(
            session, current_recipient().id, form.parsed, locale=request_locale(), now=utc_now()
        )
    log.info("address_change_asked", outcome=outcome)
    match outcome:
        case AskOutcome.SAME:
            return _page(form=form, errors=[("field-address", gettext("That is the address we have already."))]), 422
        case AskOutcome.LIMITED:
            return _page(form=form, refused=gettext("You can ask for three changes a day. Try again tomorrow.")), 429
        case AskOutcome.BLOCKED:
            return _page(form=form, refused=gettext("Your data is blocked. End the block first.")), 409
    return redirect(keeping_language("/me/address"), code=303)


@blueprint.post("/me/address/cancel")
@access(Access.STEP_UP)
def cancel_address_change() -> Response:
    """Take back what was asked for."""
    with transaction() as session:
        cancel_waiting_changes(session, current_recipient().id, now=utc_now())
    return redirect(keeping_language("/me/address"), code=303)


@blueprint.get("/c/address/<token>")
@access(Access.TOKEN)
def address_question(token: str) -> str:
    """The question to one mailbox, with two buttons; or what has become of it. Changes nothing (M4)."""
    claims, side = _open(token)
    with reading() as session:
        recipient = recipient_by_id(session, claims.recipient_id)
        change = address_change(session, claims.reference, claims.recipient_id)
    if recipient is None:
        raise BadToken
    speak(change.locale if change else recipient.locale)
    blocked = recipient.status is RecipientStatus.RESTRICTED
    question = _question(change, side, recipient.address or "", blocked=blocked)
    return render_template("recipient/address_change.html", here=keeping_language(f"/c/address/{token}"), one=question)


@blueprint.post("/c/address/<token>")
@access(Access.TOKEN)
@limiter.limit(ANSWERS_PER_HOUR)
def answer_address_question(token: str) -> Response:
    """Yes or no from one mailbox; anything else changes nothing. Leads back to the page, which says how it stands."""
    claims, side = _open(token)
    answers = {"yes": confirm_address_change, "no": refuse_address_change}
    answer = answers.get(request.form.get("answer", ""))
    if answer is not None and request.headers.get("Sec-Fetch-Site") != "cross-site":
        with transaction() as session:
            change = answer(session, claims.reference, claims.recipient_id, side, now=utc_now())
        log.info("address_change_answered", side=side, state=change and change.state(utc_now()))
    return redirect(keeping_language(f"/c/address/{token}"), code=303)


def _open(token: str) -> tuple[Claims, Side]:
    """Whose answer the link is for. Raises BadToken."""
    try:
        return signer().open(token, Capability.ADDRESS_OLD), Side.OLD
    except BadToken:
        return signer().open(token, Capability.ADDRESS_NEW), Side.NEW


def _question(change: AddressChange | None, side: Side, address: str, *, blocked: bool) -> Question:
    """The page of a change that was deleted meanwhile is that of one that ran out."""
    state = ChangeState.EXPIRED if change is None else change.state(utc_now())
    new = change.new_address if change else None
    return Question(
        side=side,
        state=state,
        said_yes=change is not None and change.confirmed_at(side) is not None,
        is_blocked=blocked,
        old_address=mask_address(address) if state is ChangeState.WAITING else "",
        new_address=mask_address(new) if new and state is ChangeState.WAITING else "",
    )


def _page(*, form: AddressForm | None = None, errors: list[tuple[str, str]] | None = None, refused: str = "") -> str:
    me = current_recipient()
    with reading() as session:
        change = newest_address_change(session, me.id)
    return render_template(
        "recipient/own/address.html",
        recipient=me,
        change=change,
        state=change.state(utc_now()) if change else None,
        form=form,
        errors=errors or (),
        refused=refused,
    )
