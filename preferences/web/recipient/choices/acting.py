"""What each button of the preference centre does, and which page tells of it."""

from __future__ import annotations

from datetime import datetime

from flask import abort
from sqlalchemy.orm import Session

from preferences.domain.acts import Method
from preferences.domain.capability import Capability
from preferences.services.choices.preferences import (
    Saved,
    ask_to_restart,
    ask_to_resume,
    choose_language,
    pause,
    save_choices,
)
from preferences.services.choices.undo import can_undo, mint_receipt, mint_undo, undo_save
from preferences.services.choices.unsubscribe import stop_everything
from preferences.services.recipients.link_requests import request_link_for
from preferences.web.forms import PauseForm
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import settings, signer

from .opened import Opened, Reach
from .preference_form import Action, Posted, read_changes, read_shown


def act(session: Session, opened: Opened, posted: Posted, pause_form: PauseForm | None, *, now: datetime) -> str:
    """Do it, and return the path that tells what was done. A link with less reach stops everything and changes nothing else."""
    if posted.action is Action.STOP:
        return _stop(session, opened, posted, now)
    if posted.action is Action.LINK and opened.reach in {Reach.OLD, Reach.FULL}:
        request_link_for(session, opened.recipient.id, locale=request_locale(), now=now)
        return keeping_language("/sent")
    if opened.reach is not Reach.FULL:
        return opened.path()
    if posted.action is Action.UNDO:
        return _undo(session, opened, posted, now)
    if posted.action is Action.LANGUAGE:
        return _language(session, opened, posted, now)
    return told(opened, _save(session, opened, posted, pause_form, now), now)


def _save(session: Session, opened: Opened, posted: Posted, pause_form: PauseForm | None, now: datetime) -> Saved:
    recipient, locale = opened.recipient, request_locale()
    if posted.action is Action.RESTART:
        return ask_to_restart(session, recipient, locale=locale, now=now)
    if posted.action is Action.RESUME:
        return ask_to_resume(session, recipient, locale=locale, now=now)
    if pause_form is not None:
        return pause(session, recipient, until=pause_form.ends_at(now), locale=locale, now=now)
    return save_choices(session, recipient, read_changes(session, posted.fields), locale=locale, now=now)


def _stop(session: Session, opened: Opened, posted: Posted, now: datetime) -> str:
    stopped = stop_everything(
        session,
        opened.recipient.id,
        method=Method.PREFERENCE_PAGE,
        now=now,
        shown=read_shown(session, posted.fields.get("shown", "")),
        reference=opened.claims.reference,
    )
    return told(opened, Saved(() if stopped.entry_id is None else (stopped.entry_id,)), now)


def _undo(session: Session, opened: Opened, posted: Posted, now: datetime) -> str:
    token = posted.fields.get("undo", "")
    claims = signer().open(token, Capability.UNDO)
    if claims.recipient_id == opened.recipient.id and not can_undo(claims, now):
        return opened.path("saved", token)
    written = undo_save(session, opened.recipient, claims, locale=request_locale(), now=now)
    receipt = mint_receipt(signer(), opened.recipient, written, now=now)
    return opened.path("saved", receipt) if receipt else opened.path("saved")


def _language(session: Session, opened: Opened, posted: Posted, now: datetime) -> str:
    language = posted.fields.get("language", "")
    if language not in settings().locales:
        abort(400)
    choose_language(session, opened.recipient, language, now=now)
    return f"/p/{opened.token}"


def told(opened: Opened, saved: Saved, now: datetime) -> str:
    """The path of the page that tells of a save, with undo where the link reaches so far."""
    mint = mint_undo if opened.reach is Reach.FULL else mint_receipt
    token = mint(signer(), opened.recipient, saved.entry_ids, now=now)
    path = opened.path("saved", token) if token else opened.path("saved")
    if not saved.was_limited:
        return path
    return f"{path}{'&' if '?' in path else '?'}limited=1"
