"""What mail programs, providers and gateways send to an unsubscribe link, and what it must do with each (M2-M7, T1-T7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Shape(StrEnum):
    """A kind of request."""

    GET = "get"
    HEAD = "head"
    PREFETCH = "prefetch"
    SCANNER = "scanner"
    OPTIONS = "options"
    POST_FORM = "post_form"
    POST_MULTIPART = "post_multipart"
    POST_CHARSET = "post_charset"
    POST_FOREIGN = "post_foreign"
    POST_TWICE = "post_twice"
    POST_EMPTY = "post_empty"
    POST_JSON = "post_json"
    POST_WRONG = "post_wrong"
    PAGE_FORM = "page_form"


class Must(StrEnum):
    """What a link must do with a request."""

    SHOW = "show"
    """Answer 200 and change nothing."""
    STOP = "stop"
    """Answer 200 without a redirect or a cookie, and have done it."""
    STOP_AND_SHOW = "stop_and_show"
    """Have done it, and send the browser to the page that says so (303)."""


class Verdict(StrEnum):
    """What came of a request."""

    RIGHT = "right"
    NOTHING_TO_STOP = "nothing_to_stop"
    """Answered as it must be; nothing changed because nothing was left to change, or the link is not ours."""
    CHANGED = "changed"
    NOT_DONE = "not_done"
    """Nothing changed, while another way to say the same did."""
    REDIRECTED = "redirected"
    COOKIE = "cookie"
    REFUSED = "refused"
    FAILED = "failed"


class LinkState(StrEnum):
    """What a link is good for."""

    STOPS = "stops"
    STOPPED = "stopped"
    """It is ours, and what it belongs to is stopped already, or the person was erased."""
    NOT_OURS = "not_ours"


FINE = frozenset({Verdict.RIGHT, Verdict.NOTHING_TO_STOP})

_FORM = "application/x-www-form-urlencoded"
_PAIR = b"List-Unsubscribe=One-Click"
_MULTIPART = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: its method, what it carries, and what must come of it. `times` is how often it is sent."""

    method: str
    must: Must
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    body: bytes = b""
    times: int = 1


SHAPES: dict[Shape, Sent] = {
    Shape.GET: Sent("GET", Must.SHOW),
    Shape.HEAD: Sent("HEAD", Must.SHOW),
    Shape.PREFETCH: Sent("GET", Must.SHOW, {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"}),
    Shape.SCANNER: Sent("GET", Must.SHOW, {"User-Agent": "Mozilla/5.0 (compatible; link scanner)", "Accept": "*/*"}),
    Shape.OPTIONS: Sent("OPTIONS", Must.SHOW),
    Shape.POST_FORM: Sent("POST", Must.STOP, {}, _FORM, _PAIR),
    Shape.POST_MULTIPART: Sent("POST", Must.STOP, {}, "multipart/form-data; boundary=x", _MULTIPART),
    Shape.POST_CHARSET: Sent("POST", Must.STOP, {}, f"{_FORM}; charset=utf-8", _PAIR + b"\r\n"),
    Shape.POST_FOREIGN: Sent(
        "POST",
        Must.STOP,
        {"Origin": "https://mail.example", "Cookie": "session=none", "Authorization": "Basic Og==", "User-Agent": ""},
        _FORM,
        _PAIR,
    ),
    Shape.POST_TWICE: Sent("POST", Must.STOP, {}, _FORM, _PAIR, times=2),
    Shape.POST_EMPTY: Sent("POST", Must.SHOW),
    Shape.POST_JSON: Sent("POST", Must.SHOW, {}, "application/json", b'{"List-Unsubscribe": "One-Click"}'),
    Shape.POST_WRONG: Sent("POST", Must.SHOW, {}, _FORM, b"List-Unsubscribe=Two-Click"),
    Shape.PAGE_FORM: Sent("POST", Must.STOP_AND_SHOW, {}, _FORM, b"confirm=1"),
}


@dataclass(frozen=True, slots=True)
class Came:
    """What came back, and whether anything was written."""

    status: int
    redirects: bool
    sets_cookie: bool
    changed: bool


def judge(must: Must, came: Came) -> Verdict:
    """Whether a link did what it must."""
    if came.status >= 500:
        return Verdict.FAILED
    if came.sets_cookie:
        return Verdict.COOKIE
    if must is Must.STOP_AND_SHOW:
        if came.status not in {200, 303}:
            return Verdict.REFUSED
        return Verdict.RIGHT if came.changed else Verdict.NOTHING_TO_STOP
    if came.redirects:
        return Verdict.REDIRECTED
    if came.status >= 300:
        return Verdict.REFUSED
    if must is Must.SHOW:
        return Verdict.CHANGED if came.changed else Verdict.RIGHT
    return Verdict.RIGHT if came.changed else Verdict.NOTHING_TO_STOP
