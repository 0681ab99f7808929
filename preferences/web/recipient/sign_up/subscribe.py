"""`/subscribe` and `/subscribe/<form>`: sign-up with double opt-in, also from a plain HTML form on another site.

No cookie, no form token, no script. Whoever fills it in gets the same answer: known, unknown, stopped, or a program (T27).
"""

from __future__ import annotations

import structlog
from flask import redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.catalogue import Described
from preferences.domain.sign_up import DEFAULT_FORM, FIELD_NAMES, SEAL_FIELD, FormSealer, Seal, SignUpForm, controls
from preferences.extensions import limiter
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.services.sign_up.forms import find_form, offered
from preferences.services.sign_up.sign_up import ask_to_sign_up
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import settings, utc_now
from preferences.web.recipient import blueprint

from .subscribe_form import Filled, Reading, check_shape, read_filled

log = structlog.get_logger()

SIGN_UPS_PER_CLIENT = "10 per minute; 60 per hour"
"""An office shares an address; a list of other people's addresses does not fit in. Each address has a limit of its own."""


@blueprint.get("/subscribe")
@blueprint.get("/subscribe/<form>")
@access(Access.PUBLIC)
def sign_up_form(form: str = DEFAULT_FORM) -> str:
    """The form, with nothing ticked."""
    with reading() as session:
        found, on_form = _find(session, form)
    return _page(found, on_form)


@blueprint.post("/subscribe")
@blueprint.post("/subscribe/<form>")
@access(Access.PUBLIC)
@limiter.limit(SIGN_UPS_PER_CLIENT)
def sign_up(form: str = DEFAULT_FORM) -> Response | str | tuple[str, int]:
    """Store the sign-up as pending and have the mailbox asked; the answer does not tell whom we know."""
    check_shape(request)
    now = utc_now()
    with transaction() as session:
        found, on_form = _find(session, form)
        filled = read_filled(session, request, on_form, _sealer().read(request.form.get(SEAL_FIELD, ""), form, now))
        if filled.reading is Reading.TAKE:
            _ask(session, found, filled)
    if filled.reading is Reading.IGNORE:
        log.info("sign_up_ignored", form=found.key)
    if filled.reading is Reading.CORRECT:
        return _page(found, on_form, filled), 422
    if filled.reading is Reading.SHOW_AGAIN:
        return _page(found, on_form, filled)
    return redirect(keeping_language(f"/subscribe/{found.key}/sent"), code=303)


@blueprint.get("/subscribe/<form>/sent")
@access(Access.PUBLIC)
def sign_up_sent(form: str) -> str:
    """What happens next, the same for everybody."""
    with reading() as session:
        found = find_form(session, form)
    return render_template("recipient/subscribe_sent.html", form=found)


def _find(session: Session, key: str) -> tuple[SignUpForm, list[Described]]:
    found = find_form(session, key)
    return found, offered(catalogue(session), found)


def _ask(session: Session, form: SignUpForm, filled: Filled) -> None:
    address = filled.fields.parsed
    assert address is not None  # noqa: S101 - validated
    outcome = ask_to_sign_up(
        session,
        address,
        form_key=form.key,
        name=filled.fields.given_name,
        wishes=filled.wishes,
        locale=request_locale(),
        now=utc_now(),
    )
    log.info("sign_up_asked", form=form.key, outcome=outcome)


def _page(form: SignUpForm, on_form: list[Described], filled: Filled | None = None) -> str:
    """The form. Shown again for a correction it keeps its seal: nobody is too fast at correcting."""
    locale, default, now = request_locale(), settings().default_locale, utc_now()
    sent = request.form.get(SEAL_FIELD, "") if filled else ""
    keeps = _sealer().read(sent, form.key, now) in {Seal.READ, Seal.EMBEDDED}
    return render_template(
        "recipient/subscribe.html",
        form=form,
        heading=form.heading(locale, default),
        here=keeping_language(f"/subscribe/{form.key}"),
        controls=controls(on_form, locale=locale, default=default, ticked=filled.ticked if filled else frozenset()),
        filled=filled,
        again=filled is not None and filled.reading is Reading.SHOW_AGAIN,
        seal=sent if keeps else _sealer().seal(form.key, now),
        **FIELD_NAMES,
    )


def _sealer() -> FormSealer:
    return FormSealer(settings().secret_keys)
