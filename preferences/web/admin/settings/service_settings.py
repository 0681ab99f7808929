"""What is configured, and whether the service is in order: the self-check, a test mail to oneself, every setting."""

from __future__ import annotations

from datetime import timedelta

from flask import render_template
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import NOTHING, AuditAction
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.audit import AuditFilter, audit_entries
from preferences.services.staff.audit import record_audit
from preferences.services.staff.staff_mail import TEST, enqueue_staff_mail
from preferences.services.upkeep.address_checks import ask_for_address_check
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, done, said
from preferences.web.admin.guard import needs, staff_id, staff_session
from preferences.web.plumbing import settings, utc_now

from .line import Verdict
from .own_test import last_test_mail
from .self_check import self_check
from .setting_values import shown_settings
from .sign_on_check import sign_on_check

TEST_EVERY = timedelta(minutes=1)
MESSAGES = {
    "sent": lazy_gettext("A test mail to your own address is in the outbox. It should arrive within a minute."),
    "calling": lazy_gettext("The worker calls the address now. Open this page again in a moment to see what it found."),
    "calling_already": lazy_gettext("The worker is calling it already. Open this page again in a moment."),
    "wait": lazy_gettext("You asked for one less than a minute ago. Wait for it first."),
}


@blueprint.get("/settings")
@access(Access.STAFF)
@needs(Permission.SEE_SETTINGS)
def service_settings() -> str:
    """The self-check of this moment, and the settings; `?show=changed` leaves out those that are as they come."""
    with reading() as session:
        lines = list(self_check(session, settings(), now=utc_now()))
        tested = last_test_mail(session, staff_id(), now=utc_now())
    lines += sign_on_check(now=utc_now())
    only_changed = asked("show") == "changed"
    shown = [one for one in shown_settings(settings()) if not (only_changed and one.is_default)]
    return render_template(
        "admin/settings/settings.html",
        lines=lines,
        to_do=sum(1 for line in lines if line.verdict is Verdict.LOOK),
        shown=shown,
        only_changed=only_changed,
        tested=tested,
        base_url=settings().base_url,
        done=said(MESSAGES),
    )


@blueprint.post("/settings/call-address")
@access(Access.STAFF)
@needs(Permission.SEE_SETTINGS)
def call_address() -> Response:
    """Have the worker call the public address: a server with one thread would wait for itself."""
    now = utc_now()
    with transaction() as session:
        if not ask_for_address_check(session, settings().base_url, now=now):
            return done("admin.service_settings", "calling_already")
        record_audit(session, staff_id(), AuditAction.ADDRESS_CALLED, NOTHING, now=now)
    return done("admin.service_settings", "calling")


@blueprint.post("/settings/test-mail")
@access(Access.STAFF)
@needs(Permission.SEE_SETTINGS)
def send_test_mail() -> Response:
    """A mail to whoever asks, through the outbox as all mail goes; one a minute."""
    me, now = staff_session().staff, utc_now()
    with transaction() as session:
        earlier = AuditFilter(staff_id=staff_id(), action=AuditAction.TEST_MAIL_SENT, since=now - TEST_EVERY)
        if audit_entries(session, earlier, before=None, limit=1):
            return done("admin.service_settings", "wait")
        parameters = {"locale": me.locale, "asked_at": now.isoformat(timespec="seconds")}
        enqueue_staff_mail(session, TEST, parameters=parameters, to=me.address, now=now)
        record_audit(session, me.id, AuditAction.TEST_MAIL_SENT, NOTHING, now=now)
    return done("admin.service_settings", "sent")
