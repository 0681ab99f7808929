"""`/me/photos`: name and image apart, for all trainings and for each of one's own; consent to advertising by itself (L17).

The mailbox has proved itself, so Yes counts at once here as No does.
"""

from __future__ import annotations

from flask import abort, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.acts import GRANTS
from preferences.domain.answer import Answer
from preferences.domain.capability import Capability
from preferences.domain.choice import EVERY_TRAINING
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import About, LawfulBasis
from preferences.models.transaction import reading, transaction
from preferences.queries.choices.choices import choice_of
from preferences.queries.choices.preference_page import preference_page
from preferences.queries.photos.photos import training_choices
from preferences.queries.photos.trainings import trainings_among, trainings_of
from preferences.services.choices.preferences import Change, save_choices
from preferences.services.choices.undo import can_undo, mint_receipt, mint_undo, undo_save
from preferences.services.rights.rights import lock_recipient
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import signer, utc_now
from preferences.web.recipient import blueprint
from preferences.web.recipient.choices.opened import Reach
from preferences.web.recipient.choices.photo_view import for_all_trainings, for_one_training
from preferences.web.recipient.choices.preference_form import Action, Answered, read_answers, read_form, trainings_named
from preferences.web.recipient.choices.saved_page import saved_page
from preferences.web.secret_cookie import CSRF_FIELD
from preferences.web.session import current_recipient, own_session

from .view import with_query

TRAININGS_A_PAGE = 50
PATH = "/me/photos"


@blueprint.get(PATH)
@access(Access.STEP_UP)
def own_photos() -> str:
    """Where the person stands, in general and for each training. Changes nothing."""
    me, now = current_recipient(), utc_now()
    skip = max(0, request.args.get("from", 0, type=int))
    with reading() as session:
        mine = trainings_of(session, me.id, limit=TRAININGS_A_PAGE + 1, skip=min(skip, 2**31))
        choices = training_choices(session, me.id, mine[:TRAININGS_A_PAGE], at=now)
        page = preference_page(session, me, at=now)
    return render_template(
        "recipient/own/photos.html",
        can_change=me.status is RecipientStatus.ACTIVE,
        cards=[] if skip else for_all_trainings(page),
        trainings=[for_one_training(one, suffix=f"-{one.training.id}") for one in choices],
        newer=skip > 0,
        older=with_query(keeping_language(PATH), "from", str(skip + TRAININGS_A_PAGE))
        if len(mine) > TRAININGS_A_PAGE
        else "",
    )


@blueprint.post(PATH)
@access(Access.STEP_UP)
def save_own_photos() -> Response:
    """Save what differs from what the page showed, and lead to the page that tells what was stored."""
    posted, me, now = read_form(request, other={CSRF_FIELD}), current_recipient(), utc_now()
    if posted.action is not Action.SAVE:
        abort(400)
    with transaction() as session:
        if not _may_change(session):
            return redirect(keeping_language(PATH), code=303)
        changes = _changes(session, posted.fields)
        saved = save_choices(session, me, changes, locale=request_locale(), now=now, proved_at=own_session().opened_at)
    return redirect(_saved_path(mint_undo(signer(), me, saved.entry_ids, now=now)), code=303)


@blueprint.get("/me/photos/saved", defaults={"save": ""})
@blueprint.get("/me/photos/saved/<save>")
@access(Access.STEP_UP)
def own_photos_saved(save: str) -> str:
    """What one save did, read back from the ledger, with undo while that lasts (D15)."""
    me, now = current_recipient(), utc_now()
    with reading() as session:
        told = saved_page(session, Reach.FULL, preference_page(session, me, at=now), save, now=now)
    return render_template("recipient/own/photos_saved.html", told=told)


@blueprint.post("/me/photos/undo")
@access(Access.STEP_UP)
def undo_own_photos() -> Response:
    """Take back the refusals of one save, within 15 minutes."""
    me, now, token = current_recipient(), utc_now(), request.form.get("undo", "")
    claims = signer().open(token, Capability.UNDO)
    if claims.recipient_id == me.id and not can_undo(claims, now):
        return redirect(_saved_path(token), code=303)
    with transaction() as session:
        if not _may_change(session):
            return redirect(keeping_language(PATH), code=303)
        written = undo_save(session, me, claims, locale=request_locale(), now=now)
    return redirect(_saved_path(mint_receipt(signer(), me, written, now=now)), code=303)


def _may_change(session: Session) -> bool:
    """Whoever has blocked their data sees it, and nothing is edited until they lift that (GDPR 18; L9)."""
    return lock_recipient(session, current_recipient().id) is RecipientStatus.ACTIVE


def _changes(session: Session, fields: dict[str, str]) -> list[Change]:
    """What differs from what was shown. Beside a yes that reaches further, a no that stood on the same form is said outright:
    otherwise the person would send it and get its opposite."""
    mine = trainings_among(session, current_recipient().id, trainings_named(fields))
    answers = read_answers(session, fields, trainings=mine, about={About.PUBLICATION})
    raised = [one.change for one in answers if one.is_changed and one.change.answer is Answer.YES]
    return [
        one.change
        for one in answers
        if one.is_changed or (_is_below(one, raised) and _would_come_back(session, one.change))
    ]


def _would_come_back(session: Session, change: Change) -> bool:
    """Whether a yes above would turn it on: not where it needs a consent that was never given. Nobody withdraws such."""
    if change.purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return True
    purpose, me = change.purpose, current_recipient().id
    return any(
        choice_of(session, me, purpose.id, training_id).act in GRANTS
        for training_id in {EVERY_TRAINING, change.training_id}
    )


def _is_below(one: Answered, raised: list[Change]) -> bool:
    if one.change.answer is not Answer.NO:
        return False
    purpose, training_id = one.change.purpose, one.change.training_id
    return any(
        above.purpose.id in {purpose.id, purpose.parent_id}
        and above.training_id in {EVERY_TRAINING, training_id}
        and (above.purpose.id, above.training_id) != (purpose.id, training_id)
        for above in raised
    )


def _saved_path(token: str | None) -> str:
    return keeping_language(f"{PATH}/saved/{token}" if token else f"{PATH}/saved")
