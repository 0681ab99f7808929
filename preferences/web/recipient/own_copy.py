"""The person's own copy: as JSON to take along, as one page to print (GDPR 15(3), 20; L8)."""

from __future__ import annotations

import json

from flask import Response, render_template

from preferences.models.transaction import reading
from preferences.queries.choices.preference_page import preference_page
from preferences.queries.mailers.mailers import mailers
from preferences.queries.own_data.own_data import own_data
from preferences.services.export import Controller, export_own_data
from preferences.web.access import Access, access
from preferences.web.plumbing import settings, utc_now
from preferences.web.session import current_recipient

from . import blueprint
from .own_view import choice_rows, languages


@blueprint.get("/me/copy")
@access(Access.STEP_UP)
def own_copy() -> str:
    """The two ways to take a copy."""
    return render_template("recipient/own/copy.html")


@blueprint.get("/me/export.json")
@access(Access.STEP_UP)
def own_export() -> Response:
    """Everything, in JSON; docs/own-data.schema.json describes it."""
    now, site = utc_now(), settings()
    controller = Controller(site.organisation_name, site.organisation_address, site.organisation_email)
    with reading() as session:
        data = own_data(session, current_recipient(), **languages())
        copy = export_own_data(data, mailers(session), controller=controller, now=now)
    body = json.dumps(copy, ensure_ascii=False, indent=2) + "\n"
    name = f"own-data-{now:%Y-%m-%d}.json"
    return Response(
        body, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@blueprint.get("/me/print")
@access(Access.STEP_UP)
def own_print() -> str:
    """Everything on one page, for paper."""
    now, me = utc_now(), current_recipient()
    with reading() as session:
        data = own_data(session, me, **languages())
        return render_template(
            "recipient/own/print.html",
            made_at=now,
            recipient=me,
            data=data,
            entries={one.id: one for one in data.history},
            rows=choice_rows(preference_page(session, me, at=now)),
            photos=[one for one in data.choices if one.training is not None],
            mailers=mailers(session),
        )
