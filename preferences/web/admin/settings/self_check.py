"""The self-check: what somebody who runs the service has to know, each line with its verdict and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from preferences.config import MailTransport, Settings
from preferences.queries.ledger.seal import newest_head
from preferences.queries.recipients.mail_state import mail_state
from preferences.queries.staff.today import late_mailers
from preferences.queries.upkeep.readiness import applied_revisions
from preferences.queries.upkeep.worker_state import outbox_depth, workers
from preferences.web.admin.answering import moment_in_words
from preferences.web.admin.records.seals import waiting_of
from preferences.web.health import wanted_revisions

from .keys import key_lines
from .line import Line, Verdict
from .outside import backup_line, basis_lines, called_address, seen_address

SLOW_AFTER = timedelta(minutes=15)
"""A mail that has been due for so long is not on its way."""


def self_check(session: Session, settings: Settings, *, now: datetime) -> Iterator[Line]:
    """Every line, in the order in which one would look."""
    yield seen_address(settings)
    yield called_address(session, settings, now=now)
    yield _schema(session)
    yield _worker(session, now)
    yield _outbox(session, now)
    yield _mail(session, settings)
    yield _mailers(session, now)
    yield _seal(session, now)
    yield from key_lines(session, settings, now=now)
    yield backup_line(session, settings, now=now)
    yield from basis_lines(session, settings)


def _schema(session: Session) -> Line:
    title = gettext("Database")
    if applied_revisions(session) == wanted_revisions():
        return Line(title, Verdict.GOOD, gettext("Every migration is applied."))
    return Line(
        title,
        Verdict.LOOK,
        gettext("The tables are those of another version of the service."),
        gettext("Run “flask setup”, then restart every process."),
    )


def _worker(session: Session, now: datetime) -> Line:
    title, found = gettext("Worker"), workers(session)
    alive = [one for one in found if one.is_alive(now)]
    hanging = sorted({lane for one in alive for lane in one.hanging_lanes()})
    if not alive:
        seen = found[0].seen_at if found else None
        said = (
            gettext("None has given a sign of life since %(when)s.", when=moment_in_words(seen))
            if seen
            else gettext("No worker is running: no mail goes out, and no mailer is told.")
        )
        return Line(title, Verdict.LOOK, said, gettext("Start it on the server: “flask worker”."))
    if hanging:
        return Line(
            title,
            Verdict.LOOK,
            gettext("It runs, but some of its work stands still: %(lanes)s.", lanes=", ".join(hanging)),
            gettext("Look at its log, and restart it."),
        )
    return Line(title, Verdict.GOOD, ngettext("%(num)s is running.", "%(num)s are running.", len(alive)))


def _outbox(session: Session, now: datetime) -> Line:
    title, depth = gettext("Outbox"), outbox_depth(session, now=now)
    said = gettext("%(waiting)s wait, %(due)s of them are due now.", waiting=depth.waiting, due=depth.due)
    if depth.oldest_age(now) <= SLOW_AFTER:
        return Line(title, Verdict.GOOD, said)
    since = gettext("The oldest has been due since %(when)s.", when=moment_in_words(depth.oldest_due_at))
    return Line(title, Verdict.LOOK, f"{said} {since}", gettext("See that a worker runs, and that mail works."))


def _mail(session: Session, settings: Settings) -> Line:
    title, state = gettext("Mail"), mail_state(session)
    sent = (
        gettext("Last sent %(when)s.", when=moment_in_words(state.last_sent_at))
        if state.last_sent_at
        else gettext("Nothing has been sent in the last 30 days.")
    )
    if state.failing:
        failing = ngettext(
            "%(num)s mail was tried and has not gone.", "%(num)s mails were tried and have not gone.", state.failing
        )
        return Line(
            title,
            Verdict.LOOK,
            f"{sent} {failing}",
            gettext("See what the worker's log says of the mail server, and send yourself a test."),
        )
    if settings.mail_transport is MailTransport.MAILBOX:
        said = gettext("Mail goes into the local mailbox and leaves this machine never. That is for development only.")
        return Line(title, Verdict.GOOD, f"{said} {sent}")
    verdict = Verdict.GOOD if state.last_sent_at else Verdict.UNKNOWN
    return Line(title, verdict, sent, "" if state.last_sent_at else gettext("Send yourself a test below."))


def _mailers(session: Session, now: datetime) -> Line:
    title, late = gettext("Mailers"), late_mailers(session, now=now)
    if not late:
        return Line(title, Verdict.GOOD, gettext("No opt-out has waited for a mailer for more than a day."))
    return Line(
        title,
        Verdict.LOOK,
        gettext(
            "%(names)s: opt-outs not confirmed since %(when)s.",
            names=", ".join(one.mailer.name for one in late),
            when=moment_in_words(late[0].oldest_opt_out_at),
        ),
        gettext("Ask those who run them whether they read the feed, and confirm what they have read."),
    )


def _seal(session: Session, now: datetime) -> Line:
    title, last = gettext("Seal of the ledger"), newest_head(session)
    waiting = waiting_of(session, last, now=now)
    said = (
        gettext("Last sealed %(when)s.", when=moment_in_words(last.signed.head.sealed_at))
        if last
        else gettext("Nothing is sealed yet.")
    )
    if waiting.is_late:
        late = gettext("Entries wait longer than they should.")
        return Line(title, Verdict.LOOK, f"{said} {late}", gettext("See that a worker runs."))
    return Line(title, Verdict.GOOD, said)
