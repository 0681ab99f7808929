"""One request as its page shows it: who, what, by when, what was done, what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, make_response, render_template, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.corrections import LONG_FIELDS, OWN_FIELDS
from preferences.domain.errors import PreferencesError
from preferences.domain.purpose import Purpose
from preferences.domain.rights import (
    COPIES,
    CORRECTIONS,
    ERASURES,
    RefusalGround,
    latest_extension,
)
from preferences.models.transaction import reading
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.queries.rights.request_history import request_history
from preferences.queries.rights.rights_queue import RequestToWork, request_by_reference, requests_of_recipient
from preferences.services.rights.reach import way_to_answer
from preferences.services.rights.rights_work import IdentityUnchecked, RequestClosed, RequestExtended
from preferences.services.rights.steps import target_of
from preferences.web.admin.answering import said, typed_lines
from preferences.web.admin.guard import audited_read, shown_address
from preferences.web.admin.words.requests import event_in_words
from preferences.web.admin.words.words import staff_word
from preferences.web.dates import date_in_words, local_date
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from .replies import erasure_in, left_after_erasure, propose

MESSAGES = {
    "extended": lazy_gettext("The person is told the new date and the reason by mail."),
    "extended-letter": lazy_gettext("The new date stands. No mail goes out: print the letter and post it."),
    "answered": lazy_gettext("The answer is on its way to the person, as you wrote it."),
    "answered-letter": lazy_gettext("The answer is kept. No mail goes out: print the letter and post it."),
    "registered": lazy_gettext("It is registered. A receipt with the reference is on its way to the person by mail."),
    "registered-letter": lazy_gettext("It is registered. No mail reaches the person: confirm it by letter."),
    "registered-before": lazy_gettext("Exactly this is registered already: here it is."),
    "identity": lazy_gettext("It is noted who asks."),
    "person": lazy_gettext("It is noted who it is. Check that it is them before you give anything away."),
    "copy-mailed": lazy_gettext(
        "The way to their copy is on its way to the person. Now answer: a text is proposed below."
    ),
    "noted": lazy_gettext("It is noted what shall be corrected. Look at it, then write it."),
    "written": lazy_gettext("It is corrected, and mailers are told. Now answer: a text is proposed below."),
    "blocked": lazy_gettext("Their data is blocked. Now answer: a text is proposed below."),
    "objected": lazy_gettext("The objection is recorded. Now answer: a text is proposed below."),
    "objected-nothing": lazy_gettext("They had said no to that already. Now answer: a text is proposed below."),
    "erased": lazy_gettext("Everything personal is erased, and your answer is on its way as our last mail to them."),
    "erased-letter": lazy_gettext("Everything personal is erased. No mail goes out: post the letter that you printed."),
    "posted": lazy_gettext("It is noted that the letter is on its way."),
}
PROBLEMS = {
    "/answer": lazy_gettext("Write the answer: the person gets it as it stands here."),
    "/outcome": lazy_gettext("Choose whether it is done or refused."),
    "/ground": lazy_gettext("Choose why it is refused: the person has a right to know (GDPR 12(4))."),
    "/reason": lazy_gettext("Write the reason: the person gets it as it stands here."),
    "/until": lazy_gettext("This date is not possible: look at the days beside the field."),
    "/proof": lazy_gettext("Write how you know who asks, in at most 500 characters."),
    "/fields": lazy_gettext("Nothing differs from what is stored, or a value cannot be taken."),
    "/purposes": lazy_gettext("Choose what the person objects to."),
    "/who": lazy_gettext("Nobody here has exactly this address or id."),
    "/person": lazy_gettext("Say first who it is: nobody known here asks for this."),
    "identity": lazy_gettext(
        "Check first who asks, and say how. Until then this is given to nobody, and nothing is erased."
    ),
    "mail": lazy_gettext("No mail reaches this person. Take the copy and send it by letter."),
    "closed": lazy_gettext(
        "Somebody has answered it meanwhile, or the person took it back. What you wrote is still here."
    ),
    "extended": lazy_gettext(
        "It has been given more time already, and the law allows that once. What you wrote is still here."
    ),
}
WITHOUT_FIELD = frozenset({"closed", "extended", "identity", "mail", "/person"})
"""Problems of the whole page."""

FIELDS = ("answer", "outcome", "reason", "until", "apply", "ground", "by", "proof", "who")

_GONE = frozenset({"reason", "proof", "who"})


def show(reference: str, *, problem: str = "", drafted: str | None = None) -> Response:
    """The page; after something that could not be taken with every word that was typed, so that nobody writes it twice."""
    found = existing(reference)
    with audited_read(AuditAction.REQUEST_SEEN, target_of(found)) as session:
        page = render_template("admin/requests/request.html", **_values(session, found, drafted), **_problem(problem))
    status = 200 if not problem else 409 if problem in {"closed", "extended", "identity", "mail"} else 422
    return make_response(page, status)


def refused(reference: str, error: PreferencesError) -> Response:
    """The page after what a service would not do."""
    if isinstance(error, RequestClosed):
        return show(reference, problem="closed")
    if isinstance(error, RequestExtended):
        return show(reference, problem="extended")
    if isinstance(error, IdentityUnchecked):
        return show(reference, problem="identity")
    return show(reference, problem=error.pointer if error.pointer in PROBLEMS else "/answer")


def existing(reference: str) -> RequestToWork:
    """The request with this reference; 404 for every other text."""
    with reading() as session:
        found = request_by_reference(session, reference)
    if found is None:
        abort(404)
    return found


def days_in_words() -> dict[str, Any]:
    """What the templates need to speak of days."""
    today = local_date(utc_now())
    return {
        "today": today,
        "in_words": lambda day: date_in_words(day, request_locale()),
        "days_left": lambda day: (day - today).days,
    }


def offered(session: Session) -> list[Purpose]:
    """What one can object to, in the order of the preference page; the stop of everything last."""
    known = catalogue(session)
    inner = [one.purpose for one in known.all() if not one.purpose.is_archived]
    everything = known.everything().purpose
    return [*(one for one in inner if one.id != everything.id), everything]


def _values(session: Session, found: RequestToWork, drafted: str | None) -> dict[str, Any]:
    recipient = None if found.recipient_id is None else recipient_by_id(session, found.recipient_id)
    done_so_far = request_history(session, found.id)
    known, locale, default = catalogue(session), request_locale(), settings().default_locale
    proposal = propose(found, recipient, done_so_far, title=_titles(session, found.locale))
    return {
        "one": found,
        "recipient": recipient,
        "address": shown_address(recipient.address if recipient else None),
        "others": _others(session, found),
        "latest": latest_extension(found.received_at),
        "typed": _typed(drafted, proposal),
        "way": way_to_answer(session, found),
        "history": [(one, event_in_words(one)) for one in done_so_far],
        "left": left_after_erasure(ended) if (ended := erasure_in(done_so_far)) else (),
        "asks_for": _asks_for(found, recipient),
        "purposes": [(one.key, known.by_key(one.key).text(locale, default).title) for one in offered(session)],
        "grounds": [(one.value, staff_word("refusal", one)) for one in RefusalGround],
        "own_fields": OWN_FIELDS,
        "long_fields": LONG_FIELDS,
        "done": said(MESSAGES),
        **days_in_words(),
    }


def _titles(session: Session, locale: str) -> Any:
    """The title of a purpose in the person's language."""
    known = {one.purpose.key: one for one in catalogue(session).all()}
    default = settings().default_locale
    return lambda key: known[key].text(locale, default).title if key in known else key


def _others(session: Session, found: RequestToWork) -> Sequence[RequestToWork]:
    return [one for one in requests_of_recipient(session, found.recipient_id) if one.id != found.id]


def _typed(drafted: str | None, proposal: str) -> dict[str, str]:
    """What was typed, or where nothing was the proposed answer."""
    typed = {name: typed_lines(name) for name in (*FIELDS, *(f"new-{one}" for one in OWN_FIELDS))}
    if drafted is not None:
        typed["answer"] = drafted
    elif "answer" not in request.form:
        typed["answer"] = proposal
    return typed


def _asks_for(found: RequestToWork, recipient: RecipientView | None) -> str:
    """What can be done from the page before it is answered: a part of the template."""
    if not found.is_open or recipient is None or recipient.address is None:
        return ""
    if found.kind in COPIES:
        return "copy"
    if found.kind in ERASURES:
        return "erase"
    if found.kind in CORRECTIONS:
        return "correct"
    return found.kind.value


def _kept(problem: str) -> list[str]:
    """What was typed into a form that is gone, because the request is closed: to copy from."""
    if problem != "closed":
        return []
    gone = {name: typed_lines(name) for name in request.form if name in _GONE or name.startswith("new-")}
    return [value for value in gone.values() if value.strip()]


def _problem(problem: str) -> dict[str, Any]:
    return {
        "problem": (problem, PROBLEMS[problem]) if problem else None,
        "is_whole": problem in WITHOUT_FIELD,
        "kept": _kept(problem),
    }
