"""After the sign-out of somebody who came by single sign-on: they are still signed in at the identity provider."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.guard import SIGN_IN
from preferences.web.admin.identity_provider import identity_provider
from preferences.web.plumbing import settings, utc_now

SIGNED_OUT = "/admin/signed-out"


@blueprint.get("/signed-out")
@access(Access.PUBLIC)
def signed_out() -> str | Response:
    """That they are signed out here, and the way to sign out there, where the provider offers one."""
    provider = identity_provider()
    way_out = provider.way_out(settings().base_url + SIGN_IN, now=utc_now()) if provider else ""
    return render_template("admin/staff/signed_out.html", way_out=way_out)
