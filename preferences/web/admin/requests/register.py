"""Registers a request that came by letter, telephone, mail or in person: written down, looked at once more, then stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import make_response, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.address import parse_address
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import InvalidValue
from preferences.domain.rights import (
    ENTERED,
    MOST_DETAILS,
    MOST_PROOF,
    OLDEST_ARRIVAL,
    AnswerBy,
    Contact,
    IdentityState,
    RequestChannel,
    RightsKind,
    due_on,
)
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.recipients.recipients import RecipientView
from preferences.queries.rights.rights_queue import RequestToWork, request_by_reference, requests_of_recipient
from preferences.services.rights.reach import way_to, way_to_answer
from preferences.services.rights.rights import Entered, Taken, take_request
from preferences.services.rights.steps import target_of
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, done, typed, typed_lines
from preferences.web.admin.guard import audited_read, needs, shown_address, staff_id
from preferences.web.admin.words.words import staff_word
from preferences.web.dates import local_date, start_of_day
from preferences.web.plumbing import settings, utc_now

from .person import exactly
from .shown import days_in_words

FIELDS = (
    "kind",
    "channel",
    "arrived_on",
    "known",
    "who",
    "name",
    "email",
    "post",
    "locale",
    "text",
    "identity",
    "proof",
)
LINES = frozenset({"post", "text", "proof"})
MOST_POST = 500


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Letter:
    """What the form says, read. `problems`: (field, what is wrong)."""

    kind: RightsKind = RightsKind.OTHER
    entered: Entered | None = None
    recipient: RecipientView | None = None
    text: str = ""
    locale: str = ""
    problems: Sequence[tuple[str, str]] = ()
    same: Sequence[RequestToWork] = field(default=())
    """Open requests of the same kind by the same person."""


@blueprint.get("/requests/new")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def show_register() -> Response:
    """The form; `?who=` names the person."""
    today = local_date(utc_now()).isoformat()
    return _form({"who": asked("who", most=320), "known": "yes", "arrived_on": today, "identity": "unchecked"}, ())


@blueprint.post("/requests/new")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def register() -> Response:
    """Look at it once more, then store it. A second one of the same kind is pointed out before."""
    written, now = _written(), utc_now()
    with reading() as session:
        letter = _read(session, written, now)
    if letter.problems or request.form.get("again"):
        return _form(written, letter.problems)
    assert letter.entered is not None  # noqa: S101 - there are no problems
    unseen = bool(letter.same) and request.form.get("anyway") != "1"
    if request.form.get("sure") != "1" or unseen:
        return _review(written, letter, letter.entered, is_warned=request.form.get("sure") == "1")
    with transaction() as session:
        taken = _store(session, letter, letter.entered, now)
        if taken is None:
            return _form(written, [("who", gettext("This person has been erased meanwhile."))])
        found = request_by_reference(session, taken.reference)
        assert found is not None  # noqa: S101 - it is stored
        way = way_to_answer(session, found)
        if taken.is_new:
            data = {"channel": letter.entered.channel.value, "by": way.value}
            record_audit(session, staff_id(), AuditAction.REQUEST_REGISTERED, target_of(found), data=data, now=now)
    told = "registered" if way is AnswerBy.MAIL else "registered-letter"
    return done("admin.request_page", told if taken.is_new else "registered-before", reference=taken.reference)


def _store(session: Session, letter: Letter, entered: Entered, now: datetime) -> Taken | None:
    taken = take_request(
        session,
        letter.recipient.id if letter.recipient else None,
        letter.kind,
        details={"text": letter.text},
        locale=letter.locale,
        entered=entered,
        now=now,
    )
    return taken if isinstance(taken, Taken) else None


def _written() -> dict[str, str]:
    return {name: typed_lines(name) if name in LINES else typed(name, most=320) for name in FIELDS}


def _read(session: Session, written: Mapping[str, str], now: datetime) -> Letter:
    """What the form says, with everything that is wrong with it at once."""
    problems: list[tuple[str, str]] = []
    recipient = exactly(session, written["who"]) if written["known"] != "no" else None
    problems += _wrong_words(written)
    problems += _wrong_person(session, written, recipient)
    received_at = _arrived(written["arrived_on"], now)
    if received_at is None:
        problems.append(("arrived_on", gettext("Give the day it arrived: today or before, at most three years ago.")))
    if problems or received_at is None:
        return Letter(problems=problems)
    is_confirmed = written["identity"] == IdentityState.CONFIRMED
    entered = Entered(
        channel=RequestChannel(written["channel"]),
        staff_id=staff_id(),
        received_at=received_at,
        identity=IdentityState.CONFIRMED if is_confirmed else IdentityState.UNCHECKED,
        identity_proof=written["proof"] if is_confirmed else "",
        contact=None if recipient else Contact(written["name"], written["email"], written["post"]),
    )
    kind = RightsKind(written["kind"])
    of_theirs = requests_of_recipient(session, recipient.id) if recipient else ()
    return Letter(
        kind=kind,
        entered=entered,
        recipient=recipient,
        text=written["text"],
        locale=written["locale"] or (recipient.locale if recipient else None) or settings().default_locale,
        same=[one for one in of_theirs if one.is_open and one.kind is kind],
    )


def _wrong_words(written: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    if written["kind"] not in [*RightsKind]:
        found.append(("kind", gettext("Choose what is asked for.")))
    if written["channel"] not in ENTERED:
        found.append(("channel", gettext("Choose how it came.")))
    if not 0 < len(written["text"]) <= MOST_DETAILS:
        found.append(
            ("text", gettext("Write what they wrote or said, in at most %(most)s characters.", most=MOST_DETAILS))
        )
    if written["locale"] and written["locale"] not in settings().locales:
        found.append(("locale", gettext("Choose a language that we write in.")))
    if written["identity"] == IdentityState.CONFIRMED and not 0 < len(written["proof"]) <= MOST_PROOF:
        found.append(("proof", gettext("Write how you know who asks, in at most 500 characters.")))
    return found


def _wrong_person(
    session: Session, written: Mapping[str, str], recipient: RecipientView | None
) -> list[tuple[str, str]]:
    if written["known"] != "no":
        nobody = gettext("Nobody here has exactly this address or id. If that is right, choose “Not known here”.")
        return [] if recipient else [("who", nobody)]
    if not written["email"] and not written["post"]:
        return [("email", gettext("Write how they can be answered: an email address, or an address for a letter."))]
    if len(written["post"]) > MOST_POST:
        return [("post", gettext("Write at most %(most)s characters.", most=MOST_POST))]
    if written["email"]:
        try:
            parse_address(written["email"])
        except InvalidValue:
            return [("email", gettext("This is no email address."))]
        if exactly(session, written["email"]):
            return [("email", gettext("Somebody here has this address. Choose “Known here” and name them by it."))]
    return []


def _arrived(text: str, now: datetime) -> datetime | None:
    """Noon of the day, now for today; None for a day that is none, that is to come, or that is too long ago."""
    try:
        start = start_of_day(date.fromisoformat(text[:10]))
    except (ValueError, OverflowError):
        return None
    return None if start > now or start < now - OLDEST_ARRIVAL else min(now, start + timedelta(hours=12))


def _form(written: Mapping[str, str], problems: Sequence[tuple[str, str]]) -> Response:
    page = render_template(
        "admin/requests/request_register.html",
        typed={name: written.get(name, "") for name in FIELDS},
        problems=problems,
        wrong=dict(problems),
        kinds=[(one.value, staff_word("rights", one)) for one in RightsKind],
        channels=[(one.value, staff_word("request_channel", one)) for one in ENTERED],
    )
    return make_response(page, 422 if problems else 200)


def _review(written: Mapping[str, str], letter: Letter, entered: Entered, *, is_warned: bool) -> Response:
    """What will be stored, with the person found and what they asked before. Showing who it is is on record."""
    person = letter.recipient
    seen = (
        audited_read(AuditAction.RECIPIENT_SEEN, AuditTarget(AuditObject.RECIPIENT, person.id)) if person else reading()
    )
    with seen as session:
        way = way_to(session, person, entered.contact)
    page = render_template(
        "admin/requests/request_review.html",
        letter=letter,
        entered=entered,
        written=written,
        address=shown_address(person.address if person else None),
        due=due_on(entered.received_at),
        way=way,
        is_warned=is_warned,
        **days_in_words(),
    )
    return make_response(page, 409 if is_warned else 200)
