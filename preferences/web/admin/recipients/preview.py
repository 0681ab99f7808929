"""What one person sees: their own page as a link sent now would open it, made by the same code, with nothing that acts."""

from __future__ import annotations

from flask import render_template
from flask_babel import force_locale
from markupsafe import Markup

from preferences.domain.audit import AuditAction
from preferences.domain.roles import Permission
from preferences.queries.choices.preference_page import preference_page
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.guard import audited_read, needs, shown_address, staff_session
from preferences.web.locale import request_locale, speak
from preferences.web.plumbing import settings, utc_now
from preferences.web.preference_view import render_seen

from .recipients import existing, target_of


@blueprint.get("/recipients/<public_id>/preview")
@access(Access.STAFF)
@needs(Permission.SEE_RECIPIENTS)
def preview_recipient(public_id: str) -> str:
    """In the person's language, or that of the switch on the page; what it is stands above in the language of staff."""
    found = existing(public_id)
    with audited_read(AuditAction.RECIPIENT_PREVIEWED, target_of(found)) as session:
        page = preference_page(session, found, at=utc_now())
    with force_locale(staff_session().staff.locale):
        banner = render_template(
            "admin/recipients/recipient_seen_banner.html", one=found, address=shown_address(found.address)
        )
    speak(found.locale or settings().default_locale)
    with force_locale(request_locale()):
        return render_seen(page, banner=Markup(banner))  # noqa: S704 - made by a template that escapes
