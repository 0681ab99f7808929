"""What the self-check cannot see from inside: how we are reached, whether copies are made, whether the law is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from flask import current_app, request
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.domain.basis_rules import rule_of
from preferences.domain.own_address import AddressCode, AddressFound
from preferences.integrations.database_copies import CopyFailed, identity_of
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.upkeep.address_checks import last_address_check
from preferences.queries.upkeep.backups import backup_state
from preferences.web.admin.answering import moment_in_words
from preferences.web.admin.words.words import staff_word
from preferences.web.locale import request_locale

from .line import Line, Verdict

CHECK_SHOWS = timedelta(days=7)
"""A call of longer ago says nothing about today."""
WORKER_ANSWERS_WITHIN = timedelta(minutes=2)
ENDS_SOON = timedelta(days=21)
BACKUP_IS_OLD = timedelta(hours=50)
"""Every day, and a night that failed is not yet an alarm."""
PROOF_IS_OLD = timedelta(days=35)


def seen_address(settings: Settings) -> Line:
    """The request itself shows whether the service is reached where its mail says that it is."""
    title, here, base = gettext("Address"), request.url_root.rstrip("/"), settings.base_url
    if here != base:
        return Line(
            title,
            Verdict.LOOK,
            gettext("You read this at %(here)s, but links in mail lead to %(base)s.", here=here, base=base),
            gettext(
                "Open this page at the address in mail. If that is where you are, a proxy in front does not say so:"
                " see PREFERENCES_TRUSTED_PROXIES and PREFERENCES_BASE_URL."
            ),
        )
    if here.startswith("https://"):
        return Line(
            title, Verdict.GOOD, gettext("You read this at %(here)s, over https, as people in mail do.", here=here)
        )
    verdict = Verdict.LOOK if settings.is_production else Verdict.GOOD
    return Line(
        title, verdict, gettext("You read this at %(here)s. Without https that is for development only.", here=here)
    )


def called_address(session: Session, settings: Settings, *, now: datetime) -> Line:
    """What came of calling the address, as a mailbox provider does."""
    title, last = gettext("Address, called from outside"), last_address_check(session)
    if last is None or last.base_url != settings.base_url[:300] or last.asked_at < now - CHECK_SHOWS:
        return Line(
            title, Verdict.UNKNOWN, gettext("Not tried lately."), gettext("Press “Call the address now” below.")
        )
    if last.found is None:
        if last.asked_at < now - WORKER_ANSWERS_WITHIN:
            return Line(
                title, Verdict.LOOK, gettext("The worker has not tried it."), gettext("See that a worker runs.")
            )
        return Line(
            title, Verdict.UNKNOWN, gettext("The worker is calling it."), gettext("Open this page again in a moment.")
        )
    when = gettext("Tried %(when)s.", when=moment_in_words(last.done_at))
    line = _of_call(title, last.found, when, now)
    if not (settings.base_url_ca and last.found.code is AddressCode.OURS and settings.base_url.startswith("https:")):
        return line
    alone = gettext(
        "The certificate was trusted by PREFERENCES_BASE_URL_CA alone; mailbox providers know public authorities only."
    )
    return replace(line, found=f"{line.found} {alone}")


def _of_call(title: str, found: AddressFound, when: str, now: datetime) -> Line:
    said = staff_word("own_address", found.code)
    if found.code is AddressCode.REDIRECT and found.leads_to:
        where = gettext("It leads to %(address)s.", address=found.leads_to)
        said = f"{said} {where}"
    if found.code is AddressCode.SOMEBODY_ELSE and found.status:
        answer = gettext("The answer was %(status)s.", status=found.status)
        said = f"{said} {answer}"
    todo = "" if found.code is AddressCode.OURS else staff_word("own_address_todo", found.code)
    if found.code is AddressCode.OURS and found.certificate_ends_at:
        left = (found.certificate_ends_at - now).days
        held = ngettext(
            "The certificate holds for %(num)s more day.", "The certificate holds for %(num)s more days.", left
        )
        said = f"{said} {held}"
        if found.certificate_ends_at < now + ENDS_SOON:
            todo = gettext("Renew the certificate, and find out why that did not happen by itself.")
    if found.is_private:
        unseen = gettext(
            "Seen from the worker, the name leads to an address that is not public:"
            " whether it is reached from outside was not seen."
        )
        said = f"{said} {unseen}"
    return Line(title, Verdict.LOOK if todo else Verdict.GOOD, f"{said} {when}", todo)


def backup_line(session: Session, settings: Settings, *, now: datetime) -> Line:
    """When this database was last copied, how large that was, and whether a copy was proved."""
    title = gettext("Backup")
    todo = gettext(
        "Have “flask backup” run every day. Whoever makes copies by other means notes them with “flask backup --record-only”."
    )
    try:
        state = backup_state(session, _identity(settings), now=now)
    except CopyFailed:
        return Line(title, Verdict.UNKNOWN, gettext("Which database this is could not be found out."), todo)
    last, checked = state.last, state.checked
    if last is None:
        said = gettext("Never: no copy of this database is on record.")
        if state.others:
            more = gettext("The copies on record are of another database: this one was restored from a copy, or moved.")
            said = f"{said} {more}"
        return Line(title, Verdict.LOOK, said, todo)
    said = gettext("Last made %(when)s.", when=moment_in_words(last.made_at))
    if last.size is not None:
        said = gettext("Last made %(when)s, %(size)s.", when=moment_in_words(last.made_at), size=_size(last.size))
    prove = gettext("Prove a copy now and then: “flask restore --check”.")
    if checked is None:
        unproved = gettext("No copy has been proved yet.")
        return Line(title, Verdict.LOOK, f"{said} {unproved}", prove)
    proved = gettext("A copy was proved to be readable %(when)s.", when=moment_in_words(checked.checked_at))
    if not checked.is_sound:
        wrong = gettext("The copy that was checked %(when)s is NOT sound.", when=moment_in_words(checked.checked_at))
        return Line(
            title,
            Verdict.LOOK,
            f"{said} {wrong}",
            gettext("See what “flask restore --check” says, and make a new copy at once."),
        )
    if last.made_at < now - BACKUP_IS_OLD:
        return Line(title, Verdict.LOOK, f"{said} {proved}", todo)
    if checked.checked_at and checked.checked_at < now - PROOF_IS_OLD:
        return Line(title, Verdict.LOOK, f"{said} {proved}", prove)
    return Line(title, Verdict.GOOD, f"{said} {proved}")


def basis_lines(session: Session, settings: Settings) -> Iterator[Line]:
    """Purposes in use that rest on a basis that a law does not allow; nothing where all is well (L15, L17)."""
    known = catalogue(session)
    for one in known.all():
        path = known.path_to(one.purpose)
        rule = rule_of(one.purpose.key, path[0].key if len(path) > 1 else None)
        if rule is None or one.purpose.is_archived or one.purpose.lawful_basis in rule.allowed:
            continue
        yield Line(
            gettext("Lawful basis of “%(title)s”", title=one.text(request_locale(), settings.default_locale).title),
            Verdict.LOOK,
            staff_word("basis_law", rule.law),
            gettext("Publish a version of its text that rests on consent."),
        )


def _identity(settings: Settings) -> str:
    """Asked for once in a process where that takes a connection. Raises CopyFailed."""
    if settings.database_url.startswith("sqlite"):
        return identity_of(settings.database_url)
    if "preferences.database_identity" not in current_app.extensions:
        current_app.extensions["preferences.database_identity"] = identity_of(settings.database_url)
    known: str = current_app.extensions["preferences.database_identity"]
    return known


def _size(count: int) -> str:
    """A number of bytes as people say it."""
    if count < 1024 * 1024:
        return f"{max(1, round(count / 1024))} kB"
    return f"{count / 1024 / 1024:.0f} MB" if count < 1024**3 else f"{count / 1024**3:.1f} GB"
