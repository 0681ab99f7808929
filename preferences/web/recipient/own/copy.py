"""The person's own copy: as JSON to take along, as one page to print (GDPR 15(3), 20; L8)."""

from __future__ import annotations

from flask import Response, render_template

from preferences.models.transaction import reading
from preferences.web.access import Access, access
from preferences.web.copy_page import copy_as_json, copy_as_page
from preferences.web.plumbing import utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient


@blueprint.get("/me/copy")
@access(Access.STEP_UP)
def own_copy() -> str:
    """The two ways to take a copy."""
    return render_template("recipient/own/copy.html")


@blueprint.get("/me/export.json")
@access(Access.STEP_UP)
def own_export() -> Response:
    """Everything, in JSON; docs/own-data.schema.json describes it."""
    with reading() as session:
        return copy_as_json(session, current_recipient(), now=utc_now())


@blueprint.get("/me/print")
@access(Access.STEP_UP)
def own_print() -> str:
    """Everything on one page, for paper."""
    with reading() as session:
        return copy_as_page(session, current_recipient(), now=utc_now())
