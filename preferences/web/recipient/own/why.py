"""`/me/why`: «why did I get this?», for the link that led here or any link from a mail that is pasted in."""

from __future__ import annotations

import re

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.capability import Capability
from preferences.domain.errors import BadToken
from preferences.domain.step_up import Origin
from preferences.models.transaction import reading
from preferences.queries.own_data.own_why import why_sent
from preferences.web.access import Access, access
from preferences.web.copy_page import languages
from preferences.web.locale import keeping_language
from preferences.web.plumbing import signer
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient, own_session

_TOKEN = re.compile(r"(?:^|/)([A-Za-z0-9_-]{28}\.[A-Za-z0-9_-]{22})(?:$|[/?#\s>\"'])", re.ASCII)
_LONGEST = 2000
_LINKS_IN_MAIL = (Capability.UNSUBSCRIBE, Capability.PREFERENCES)


@blueprint.get("/me/why")
@access(Access.STEP_UP)
def own_why() -> str:
    """The answer for the link that led here, and a field for another one."""
    return _page(own_session().origin)


@blueprint.post("/me/why")
@access(Access.STEP_UP)
def ask_why() -> Response | tuple[str, int]:
    """Find the pasted link, and lead to its answer."""
    typed = request.form.get("link", "").strip()
    found = _TOKEN.search(typed[:_LONGEST])
    if found is None or _origin_of(found[1]) is None:
        return _page(Origin(), problem="not_yours" if found else "no_link" if typed else "empty", typed=typed), 422
    return redirect(keeping_language(f"/me/why/{found[1]}"), code=303)


@blueprint.get("/me/why/<token>")
@access(Access.STEP_UP)
def own_why_for(token: str) -> str | tuple[str, int]:
    """The answer for one link of this person's."""
    origin = _origin_of(token)
    return (_page(Origin(), problem="not_yours"), 404) if origin is None else _page(origin)


def _origin_of(token: str) -> Origin | None:
    """What the link says; None when it is no link from a mail, or another person's."""
    for capability in _LINKS_IN_MAIL:
        try:
            claims = signer().open(token, capability)
        except BadToken:
            continue
        if claims.recipient_id == current_recipient().id:
            return Origin(claims.purpose_id, claims.reference, claims.issued_at)
    return None


def _page(origin: Origin, *, problem: str = "", typed: str = "") -> str:
    with reading() as session:
        why = why_sent(session, current_recipient(), origin, **languages())
    shown = "".join(one for one in typed[:_LONGEST] if one.isprintable())
    return render_template("recipient/own/why.html", why=why, problem=problem, typed=shown)
