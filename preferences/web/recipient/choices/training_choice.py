"""`/p/<token>/training`: name and image at one training, from the link in the notice before it (L11).

Which training it is lies inside the signature: the message that the link stood in. So no other link, forwarded to whomever,
tells which trainings a person takes part in. No counts at once, Yes is asked of the mailbox (T11).
"""

from __future__ import annotations

from datetime import datetime

from flask import abort, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.purpose import About
from preferences.extensions import limiter
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.photos import training_choices
from preferences.queries.photos.trainings import Training, training_told_of
from preferences.services.choices.preferences import Saved, save_choices
from preferences.web.access import Access, access
from preferences.web.locale import request_locale
from preferences.web.plumbing import utc_now
from preferences.web.recipient import blueprint

from .acting import told
from .opened import Opened, Reach, open_preferences
from .photo_view import for_one_training
from .preference_form import Action, read_answers, read_form
from .preferences import SAVES_PER_MINUTE


@blueprint.get("/p/<token>/training")
@access(Access.TOKEN)
def training_choice(token: str) -> str | Response:
    """Show where the person stands for this training. Changes nothing (M4)."""
    now = utc_now()
    with reading() as session:
        opened, training = _open(session, token, now)
        if training is None:
            return redirect(opened.path(), code=303)
        [choices] = training_choices(session, opened.recipient.id, [training], at=now)
    shown = for_one_training(choices, suffix=f"-{training.id}")
    return render_template("recipient/training.html", opened=opened, shown=shown)


@blueprint.post("/p/<token>/training")
@access(Access.TOKEN)
@limiter.limit(SAVES_PER_MINUTE)
def save_training_choice(token: str) -> Response:
    """Save what differs from what the page showed, and lead to the page that tells what was stored."""
    posted = read_form(request)
    if posted.action is not Action.SAVE:
        abort(400)
    with transaction() as session:
        opened, training = _open(session, token, now := utc_now())
        where_to = opened.path() if training is None else _save(session, opened, training, posted.fields, now)
    return redirect(where_to, code=303)


def _open(session: Session, token: str, now: datetime) -> tuple[Opened, Training | None]:
    """The link with the training it is about. None for any other link, and where the link no longer reaches so far."""
    opened = open_preferences(session, token, now=now)
    if opened.reach is not Reach.FULL:
        return opened, None
    return opened, training_told_of(session, opened.recipient.id, opened.claims.reference)


def _save(session: Session, opened: Opened, training: Training, fields: dict[str, str], now: datetime) -> str:
    answers = read_answers(session, fields, trainings={training.id}, about={About.PUBLICATION})
    if any(one.change.training_id != training.id for one in answers):
        abort(400)
    changes = [one.change for one in answers if one.is_changed]
    saved: Saved = save_choices(session, opened.recipient, changes, locale=request_locale(), now=now)
    return told(opened, saved, now)
