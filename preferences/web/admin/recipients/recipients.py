"""Recipients: found exactly, filtered by where they stand, and one page for each with all that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, render_template
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from preferences.domain.acts import GRANTS, Act, Method
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.capability import RecipientId
from preferences.domain.catalogue import Catalogue
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.esp_events import EspEventType
from preferences.domain.reasons import StopReason
from preferences.domain.recipient_id import read_recipient_id
from preferences.domain.roles import Permission
from preferences.domain.suppression import SuppressionReason
from preferences.models.transaction import reading
from preferences.queries.choices.history import history
from preferences.queries.choices.on_behalf import undoable_act
from preferences.queries.choices.preference_page import preference_page
from preferences.queries.mailers.told import changes_told
from preferences.queries.numbers.opt_out_counts import OPT_OUTS
from preferences.queries.own_data.own_data import (
    OwnChoice,
    own_choices,
    own_requests,
    own_suppressions,
    own_takedowns,
)
from preferences.queries.own_data.own_mail import own_mails
from preferences.queries.own_data.own_trainings import own_trainings
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipient_search import FoundRecipient, RecipientFilter, find_recipients
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.choices.staff_stops import ENDED_BY_STAFF
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_day, asked_number, asked_word, said
from preferences.web.admin.guard import audited_read, needs, shown_address, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.words import staff_word
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

MESSAGES = {
    "recorded": lazy_gettext("It is recorded, as done by you, with your reason."),
    "undone": lazy_gettext("It is taken back: things stand as they did before, and the ledger says so."),
    "too-late": lazy_gettext("That can no longer be taken back: it is too long ago, or something newer stands."),
    "unchanged": lazy_gettext("Nothing new: this is how it stood already."),
    "asked": lazy_gettext("The person's mailbox is asked. It counts once they confirm."),
    "link": lazy_gettext("A link to their own page is on its way to them."),
    "link-limited": lazy_gettext("They have got several of our mails today, so no link was sent."),
    "restricted": lazy_gettext("Their data is blocked: nothing is sent, published or changed."),
    "unrestricted": lazy_gettext("The block is over. Choices and stops of before count again."),
    "erased": lazy_gettext("Everything personal is erased. The address stays stopped, as a coded note."),
    "erased-mail": lazy_gettext(
        "Everything personal is erased, and their request for it is answered as done by our last mail to them."
    ),
    "erased-letter": lazy_gettext(
        "Everything personal is erased, and their request for it is closed as done. No mail goes out: answer by letter."
    ),
    "stopped": lazy_gettext("The address is stopped. Nothing is sent to it."),
    "stop-ended": lazy_gettext("The stop is over. Their own choices count, as before."),
    "nothing": lazy_gettext("Nothing had to be done: it stands like that already."),
}
MOST = 10
"""Of each long thing on a person's page; the rest is a page of its own."""
BEHIND_FIGURES = ("said", "message", "reason", "suppressed", "reported")
FILTERS = ("text", "status", "purpose", "act", "method", "since", "until", *BEHIND_FIGURES)
SAID = {"yes": GRANTS, "no": frozenset(OPT_OUTS)}


@blueprint.get("/recipients")
@access(Access.STAFF)
@needs(Permission.SEE_RECIPIENTS)
def recipients() -> str:
    """A page of those that the address of the page asks for. That somebody looked is recorded, not for whom."""
    with audited_read(AuditAction.RECIPIENTS_SEARCHED, by=_looked_by()) as session:
        purposes = purpose_titles(catalogue(session))
        wanted = _filter(set(purposes))
        found = find_recipients(session, wanted, now=utc_now(), before=asked_number(BEFORE), limit=ROWS + 1)
    return render_template(
        "admin/recipients/recipients.html",
        page=page_of(found, lambda one: one.id),
        wanted=wanted,
        narrowed=_narrowed(),
        asked_for={name: asked(name) for name in ("text", "since", "until")},
        purposes=list(purposes.items()),
        acts=[(one.value, staff_word("act", one)) for one in Act if one is not Act.RESUMED],
        methods=[(one.value, staff_word("method", one)) for one in Method],
        statuses=[(one.value, staff_word("recipient_status", one)) for one in RecipientStatus],
        address=lambda one: shown_address(one.address),
    )


@blueprint.get("/recipients/<public_id>")
@access(Access.STAFF)
@needs(Permission.SEE_RECIPIENTS)
def recipient_page(public_id: str) -> str:
    """One person: where they stand, what they did with the words shown, what stops them, who was told."""
    found = existing(public_id)
    with audited_read(AuditAction.RECIPIENT_SEEN, target_of(found)) as session:
        page = preference_page(session, found, at=utc_now())
        known = _known(session, found)
    locale, default = languages()
    return render_template(
        "admin/recipients/recipient.html",
        one=found,
        address=shown_address(found.address),
        page=page,
        ended_by_staff=ENDED_BY_STAFF,
        controls=[(control, control.described.text(locale, default)) for control in _flat(page)],
        most=MOST,
        done=said(MESSAGES),
        **known,
    )


def _known(session: Session, found: RecipientView) -> dict[str, Any]:
    """What is known beside where they stand, each thing in one statement, long ones bounded."""
    locale, default = languages()
    speaks: Any = {"locale": locale, "default_locale": default}
    return {
        "titles": purpose_titles(catalogue(session)),
        "history": history(session, found.id, **speaks, limit=MOST + 1),
        "suppressions": own_suppressions(session, found, **speaks),
        "trainings": own_trainings(session, found),
        "training_choices": _by_training(own_choices(session, found, **speaks)),
        "takedowns": own_takedowns(session, found),
        "requests": own_requests(session, found),
        "told": changes_told(session, found.id, limit=MOST + 1),
        "mails": own_mails(session, found.id, limit=MOST),
        "undoable": undoable_act(session, found.id, staff_id(), now=utc_now()),
    }


def _by_training(choices: Sequence[OwnChoice]) -> dict[int, list[OwnChoice]]:
    """What they answered for one training alone."""
    found: dict[int, list[OwnChoice]] = {}
    for one in choices:
        if one.training is not None and one.choice.act is not None:
            found.setdefault(one.training.id, []).append(one)
    return found


def purpose_titles(known: Catalogue) -> dict[int, str]:
    """Every purpose and topic, archived ones too, by number, in the language of the page."""
    return {int(one.purpose.id): one.text(*languages()).title for one in known.all()}


def existing(public_id: str) -> RecipientView:
    """The recipient with this id as the API writes it; 404 for every other text."""
    number = read_recipient_id(public_id)
    with reading() as session:
        found = None if number is None else recipient_by_id(session, RecipientId(number))
    if found is None:
        abort(404)
    return found


def target_of(found: RecipientView | FoundRecipient) -> AuditTarget:
    """The person as the audit names them: by number only."""
    return AuditTarget(AuditObject.RECIPIENT, found.id)


def languages() -> tuple[str, str]:
    """The language of the page, and the one for what has no words in it."""
    return request_locale(), settings().default_locale


def _flat(page: Any) -> list[Any]:
    return [one for control in page.controls for one in (control, *control.topics)]


def _filter(purposes: set[int]) -> RecipientFilter:
    """What the address asks for; what cannot be read is left out."""
    purpose = asked_number("purpose")
    return RecipientFilter(
        text=asked("text", most=320),
        status=asked_word(RecipientStatus, "status"),
        purpose_id=purpose if purpose in purposes else None,
        act=asked_word(Act, "act"),
        method=asked_word(Method, "method"),
        since=asked_day("since"),
        until=asked_day("until", days_after=1),
        said=SAID.get(asked("said"), frozenset()),
        message_id=asked_number("message"),
        reason=asked_word(StopReason, "reason"),
        suppressed=asked_word(SuppressionReason, "suppressed"),
        reported=asked_word(EspEventType, "reported"),
    )


def _looked_by() -> list[str]:
    """Which filters were used, by name: what was typed may be an address, and no audit holds one (L14)."""
    return [name for name in FILTERS if asked(name)]


def _narrowed() -> dict[str, str]:
    """The filters that only figures lead to, as the address has them: the form keeps them."""
    return {name: asked(name) for name in BEHIND_FIGURES if asked(name)}
