"""`/me`: everything that is held about the person who has proved the mailbox. Reading it writes nothing anywhere (L8)."""

from __future__ import annotations

import math

from flask import render_template

from preferences.web.access import Access, access
from preferences.web.plumbing import utc_now
from preferences.web.session import current_recipient, own_session

from . import blueprint
from .own_nav import OWN_PAGES, OwnPage


@blueprint.app_template_global("own_pages")
def own_pages() -> tuple[OwnPage, ...]:
    """The menu of own data."""
    return OWN_PAGES


@blueprint.app_template_global("minutes_left")
def minutes_left() -> int:
    """How long the open session still lasts, in minutes, at least one."""
    return max(1, math.ceil((own_session().until - utc_now()).total_seconds() / 60))


@blueprint.get("/me")
@access(Access.STEP_UP)
def own_overview() -> str:
    """The way in: what there is, and where."""
    return render_template("recipient/own/overview.html", recipient=current_recipient())
