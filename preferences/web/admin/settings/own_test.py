"""What became of the test mail that one asked for last, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, StaffId
from preferences.queries.recipients.mail_state import probe_state
from preferences.queries.staff.audit import AuditFilter, audit_entries
from preferences.web.admin.answering import moment_in_words

SHOWS = timedelta(days=7)


def last_test_mail(session: Session, staff_id: StaffId, *, now: datetime) -> str:
    """One sentence; empty where one has not asked lately."""
    asked = AuditFilter(staff_id=staff_id, action=AuditAction.TEST_MAIL_SENT, since=now - SHOWS)
    entries = audit_entries(session, asked, before=None, limit=1)
    state = probe_state(session, entries[0].recorded_at) if entries else None
    if state is None:
        return ""
    when = moment_in_words(entries[0].recorded_at)
    if state.is_sent:
        return str(
            gettext(
                "Your test of %(when)s was handed over to the mail server. If it has not come, look there.", when=when
            )
        )
    if state.is_over:
        return str(gettext("Your test of %(when)s could not be sent: %(why)s.", when=when, why=state.outcome))
    if state.attempts:
        tried = ngettext("%(num)s time", "%(num)s times", state.attempts)
        return str(
            gettext(
                "Your test of %(when)s has been tried %(tried)s and has not gone: %(why)s. It is tried again.",
                when=when,
                tried=tried,
                why=state.outcome or "–",
            )
        )
    return str(gettext("Your test of %(when)s waits for the worker.", when=when))
