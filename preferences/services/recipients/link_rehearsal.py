"""Fires at one of our own unsubscribe links what real clients and scanners send, and sees what each does. Changes nothing.

The requests go to the application itself, within the process, on a stage that is rolled back after each: there is no address to
be tricked into calling, and a check of a real person's link leaves no trace (docs/adr/0014-a-check-rehearses.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from werkzeug.test import EnvironBuilder, run_wsgi_app

from preferences.domain.capability import Capability, LinkSigner
from preferences.domain.errors import BadToken, InvalidValue
from preferences.domain.request_shapes import FINE, SHAPES, Came, LinkState, Must, Sent, Shape, Verdict, judge
from preferences.models.rehearsal import rehearsal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MOST_URL_CHARACTERS = 500


class NotOurLink(InvalidValue):
    """Only unsubscribe links of this service are tried: it calls no stranger's address."""

    code: ClassVar[str] = "not_our_link"
    title: ClassVar[str] = "Not an unsubscribe link of this service"


@dataclass(frozen=True, slots=True)
class Tried:
    """One kind of request and what came of it."""

    shape: Shape
    came: Came
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class LinkRehearsal:
    """Every kind of request, in the order of `Shape`."""

    state: LinkState
    tried: tuple[Tried, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the link did right by every request, and is ours."""
        return self.state is not LinkState.NOT_OURS and all(one.verdict in FINE for one in self.tried)


def is_our_link(url: str, base_url: str) -> bool:
    """Whether this is the form of this service's unsubscribe links."""
    return url.startswith(f"{base_url}/u/") and len(url) <= MOST_URL_CHARACTERS and url.isascii() and url.isprintable()


def rehearse_link(wsgi: WSGIApplication, url: str, *, base_url: str, signer: LinkSigner) -> LinkRehearsal:
    """Try the link with every kind of request. Raises NotOurLink."""
    if not is_our_link(url, base_url):
        raise NotOurLink(f"Give a link that begins with {base_url}/u/.", pointer="/url")
    path = url.removeprefix(base_url)
    tried = tuple(_try(wsgi, path, base_url, shape, sent) for shape, sent in SHAPES.items())
    return LinkRehearsal(_state(path, signer, tried), _compared(tried))


def _compared(tried: tuple[Tried, ...]) -> tuple[Tried, ...]:
    """Where one way of stopping found something to stop, every other must have found it too (T4)."""
    if not any(one.came.changed and SHAPES[one.shape].must is not Must.SHOW for one in tried):
        return tried
    return tuple(
        replace(one, verdict=Verdict.NOT_DONE) if one.verdict is Verdict.NOTHING_TO_STOP else one for one in tried
    )


def _try(wsgi: WSGIApplication, path: str, base_url: str, shape: Shape, sent: Sent) -> Tried:
    with rehearsal() as stage:
        written = stage.rows_written()
        status, redirects, sets_cookie = stage.perform(_send, wsgi, path, base_url, sent)
        came = Came(status, redirects, sets_cookie, stage.rows_written() > written)
        verdict = judge(sent.must, came)
        for _ in range(1, sent.times):
            written = stage.rows_written()
            status, redirects, sets_cookie = stage.perform(_send, wsgi, path, base_url, sent)
            again = judge(Must.SHOW, Came(status, redirects, sets_cookie, stage.rows_written() > written))
            verdict = verdict if again is Verdict.RIGHT else again
    return Tried(shape, came, verdict)


def _send(wsgi: WSGIApplication, path: str, base_url: str, sent: Sent) -> tuple[int, bool, bool]:
    """Status, whether it leads elsewhere, whether it sets a cookie."""
    builder = EnvironBuilder(
        path=path,
        base_url=base_url,
        method=sent.method,
        headers=list(sent.headers.items()),
        input_stream=None,
        data=sent.body or None,
        content_type=sent.content_type,
    )
    try:
        _, status, headers = run_wsgi_app(wsgi, builder.get_environ(), buffered=True)
    finally:
        builder.close()
    return int(status.split(" ")[0]), "Location" in headers or "Refresh" in headers, "Set-Cookie" in headers


def _state(path: str, signer: LinkSigner, tried: tuple[Tried, ...]) -> LinkState:
    token = path.removeprefix("/u/").partition("?")[0].strip("/")
    try:
        signer.open(token, Capability.UNSUBSCRIBE)
    except BadToken:
        return LinkState.NOT_OURS
    return LinkState.STOPS if any(one.came.changed for one in tried) else LinkState.STOPPED
