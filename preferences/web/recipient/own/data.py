"""`/me`: everything that is held about the person who has proved the mailbox. Reading it writes nothing anywhere (L8)."""

from __future__ import annotations

import math

from flask import render_template, request

from preferences.models.transaction import reading
from preferences.queries.choices.history import history, message_by_id
from preferences.queries.choices.preference_page import preference_page
from preferences.queries.mailers.mailers import mailers
from preferences.queries.mailers.reconciliation import newest_opt_out_told
from preferences.queries.own_data.own_data import own_choices, own_requests, own_suppressions
from preferences.queries.own_data.own_mail import own_mails, step_ups, told
from preferences.queries.own_data.own_trainings import own_trainings
from preferences.web.access import Access, access
from preferences.web.copy_page import choice_rows, languages
from preferences.web.plumbing import utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient, own_session

from .nav import OWN_PAGES, OwnPage
from .view import link_to_choices

ENTRIES_A_PAGE = 25
CHANGES_SHOWN = 50


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
    me, origin = current_recipient(), own_session().origin
    with reading() as session:
        requests = [one for one in own_requests(session, me) if one.closed_at is None]
        trainings = own_trainings(session, me)
        message = message_by_id(session, origin.message_id) if origin.message_id else None
    return render_template(
        "recipient/own/overview.html", recipient=me, requests=requests, trainings=trainings, message=message
    )


@blueprint.get("/me/data")
@access(Access.STEP_UP)
def own_profile() -> str:
    """What is stored, in clear, and where it came from."""
    me = current_recipient()
    with reading() as session:
        return render_template(
            "recipient/own/data.html",
            recipient=me,
            mailers=mailers(session),
            trainings=own_trainings(session, me),
            requests=own_requests(session, me),
            mails=own_mails(session, me.id),
            step_ups=step_ups(session, me.id),
        )


@blueprint.get("/me/choices")
@access(Access.STEP_UP)
def own_choice_list() -> str:
    """Every choice with its basis and since when, and what else stops mail; the link to change them."""
    me, spoken = current_recipient(), languages()
    with reading() as session:
        page = preference_page(session, me, at=utc_now())
        stored = own_choices(session, me, **spoken)
        stops = own_suppressions(session, me, **spoken)
        senders = mailers(session)
    return render_template(
        "recipient/own/choices.html",
        recipient=me,
        rows=choice_rows(page),
        photos=[one for one in stored if one.training is not None],
        stops=stops,
        mailers=senders,
        link=link_to_choices(me),
    )


@blueprint.get("/me/history")
@access(Access.STEP_UP)
def own_history() -> str:
    """Everything the person did or had done, newest first, with the words shown at the time."""
    before = request.args.get("before", type=int)
    with reading() as session:
        entries = history(session, current_recipient().id, **languages(), before=before, limit=ENTRIES_A_PAGE + 1)
    return render_template(
        "recipient/own/history.html",
        entries=entries[:ENTRIES_A_PAGE],
        older=entries[ENTRIES_A_PAGE - 1].id if len(entries) > ENTRIES_A_PAGE else None,
        before=before,
    )


@blueprint.get("/me/senders")
@access(Access.STEP_UP)
def own_senders() -> str:
    """Which systems send mail, which of them know of the latest opt-out, and which changes have been recorded for them."""
    me, spoken = current_recipient(), languages()
    with reading() as session:
        changes = told(session, me.id, limit=CHANGES_SHOWN)
        entries = {one.id: one for one in history(session, me.id, **spoken, limit=2 * CHANGES_SHOWN)}
        senders = mailers(session)
        opt_out = newest_opt_out_told(session, me.id)
    return render_template(
        "recipient/own/senders.html", mailers=senders, told=changes, entries=entries, opt_out=opt_out
    )
