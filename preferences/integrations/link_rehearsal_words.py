"""What is said of each request that a link is tried with, and of the link. Shown by the API, the command and the pages."""

from __future__ import annotations

from typing import Any

from flask_babel import LazyString, lazy_gettext

from preferences.domain.request_shapes import Came, LinkState, Shape, Verdict

_ = lazy_gettext

SHAPES: dict[Shape, LazyString] = {
    Shape.GET: _("Opened by a person"),
    Shape.HEAD: _("Looked at without its content (HEAD)"),
    Shape.PREFETCH: _("Fetched ahead by a browser"),
    Shape.SCANNER: _("Opened by a security gateway"),
    Shape.OPTIONS: _("Asked for its methods (OPTIONS)"),
    Shape.POST_FORM: _("One-click as a form"),
    Shape.POST_MULTIPART: _("One-click as multipart/form-data"),
    Shape.POST_CHARSET: _("One-click with a charset and a line break"),
    Shape.POST_FOREIGN: _("One-click with somebody else's cookie, origin and password"),
    Shape.POST_TWICE: _("One-click twice"),
    Shape.POST_EMPTY: _("POST without a body"),
    Shape.POST_JSON: _("POST of JSON"),
    Shape.POST_WRONG: _("POST of another value"),
    Shape.PAGE_FORM: _("The button on the page"),
}
VERDICTS: dict[Verdict, LazyString] = {
    Verdict.RIGHT: _("as it must be"),
    Verdict.NOTHING_TO_STOP: _("as it must be; there was nothing to stop"),
    Verdict.CHANGED: _("changed something, and must not"),
    Verdict.NOT_DONE: _("stopped nothing, and must"),
    Verdict.REDIRECTED: _("redirects, which providers do not follow"),
    Verdict.COOKIE: _("sets a cookie"),
    Verdict.REFUSED: _("is refused"),
    Verdict.FAILED: _("fails"),
}
STATES: dict[LinkState, LazyString] = {
    LinkState.STOPS: _("The link works."),
    LinkState.STOPPED: _("The link is ours; what it belongs to is stopped already."),
    LinkState.NOT_OURS: _("The link was not made by this service, or was changed on its way."),
}


def request_as_json(shape: Shape, came: Came, verdict: Verdict) -> dict[str, Any]:
    """One request that a link was tried with, in codes."""
    return {
        "shape": shape.value,
        "status": came.status,
        "redirects": came.redirects,
        "changed": came.changed,
        "verdict": verdict.value,
    }
