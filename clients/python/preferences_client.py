"""A client for the preference centre and unsubscribe service. One file, the standard library alone, Python 3.9 or newer.

    client = Client("https://preferences.example", key)
    for address in client.allowed("marketing", addresses): ...

Every call is retried where that can help, with the server's own `Retry-After` and one `Idempotency-Key` for all attempts: a
repeat has no second effect. The key is sent to the service alone: it stands in no error, no log and no repr, and no redirect
is followed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Callable

__version__ = "1.0"
JSON, NDJSON = "application/json", "application/x-ndjson"
MOST_LINKS, MOST_ELIGIBILITY = 10_000, 100_000
WEBHOOK_TOLERANCE_SECONDS = 300
_RETRIED, _MOST_WAIT_SECONDS = frozenset({429, 502, 503, 504}), 300.0

Row = dict[str, Any]
Sleep = Callable[[float], None]


class ApiError(Exception):
    """The service refused. Act on `code`; `errors` lists fields and rows. Status 0: it could not be reached."""

    def __init__(
        self, status: int, code: str, detail: str, errors: Sequence[Row] = (), reason: str | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.reason = list(errors), reason


class InvalidWebhook(Exception):
    """The message was not signed with one of the secrets, or is too old or too new. Answer 400 and do nothing."""


@dataclass(frozen=True)
class Page:
    """Changes in the order of the feed. `cursor` is where to go on; `more` says whether there is more right now."""

    changes: list[Row]
    cursor: str
    more: bool


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it leads."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Client:
    """Calls the service with one key. May be shared by threads."""

    def __init__(
        self, base_url: str, key: str, *, timeout: float = 60.0, attempts: int = 6, sleep: Sleep = time.sleep
    ) -> None:
        """`attempts` counts the first try. Raises ValueError for http to another machine: the key would go in the clear."""
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("the service must be called over https")
        self._base = base_url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": f"preferences-client-python/{__version__}"}
        self._timeout, self._attempts, self._sleep = timeout, max(1, attempts), sleep
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __repr__(self) -> str:
        return f"Client({self._base!r})"

    def put_recipients(self, rows: Sequence[Row]) -> list[Row]:
        """Add or change recipients; one outcome for each, `row` counted from 1 through all of them."""
        found: list[Row] = []
        for number, batch in enumerate(_batches(rows, MOST_LINKS)):
            results = self._call("PUT", "/recipients", {"recipients": batch})["results"]
            found += [{**one, "row": one["row"] + number * MOST_LINKS} for one in results]
        return found

    def mint_links(self, purpose: str, recipients: Sequence[str], *, message: str | None = None) -> list[Row]:
        """`unsubscribe_url`, `preferences_url` and `headers` for each recipient (id or address), or its `error`; in order."""
        found: list[Row] = []
        for batch in _batches(recipients, MOST_LINKS):
            asked = {"purpose": purpose, "recipients": batch, **({"message": message} if message else {})}
            found += self._call("POST", "/links", asked)["results"]
        return found

    def eligibility(
        self, purpose: str, recipients: Iterable[str], *, topic: str | None = None, at: str | None = None
    ) -> Iterator[Row]:
        """One answer for each recipient, in order, as they come in. Ask just before sending; see `valid_until`.

        A stream that breaks off is taken up again after the last answer that came.
        """
        head = {name: value for name, value in {"purpose": purpose, "topic": topic, "at": at}.items() if value}
        for batch in _batches(recipients, MOST_ELIGIBILITY):
            left, failures = batch, 0
            while left:
                came = 0
                try:
                    for row in self._lines("/eligibility", [head, *left]):
                        came += 1
                        yield row
                except (OSError, http.client.HTTPException) as error:
                    failures = 0 if came else failures + 1
                    if failures >= self._attempts:
                        raise _unreachable(error) from None
                    self._wait(failures)
                else:
                    if came != len(left):
                        raise _not_understood(200)
                left = left[came:]

    def allowed(self, purpose: str, recipients: Iterable[str], *, topic: str | None = None) -> Iterator[str]:
        """Only those of the recipients who may get the message now."""
        return (one["recipient"] for one in self.eligibility(purpose, recipients, topic=topic) if one["allowed"])

    def record_choice(self, recipient: str, purpose: str, act: str, occurred_at: str, **more: Any) -> Row:
        """Report an act made elsewhere, with its `evidence`. Raises ApiError 409 `held` where it would lift a stop."""
        body = {"recipient": recipient, "purpose": purpose, "act": act, "occurred_at": occurred_at, **more}
        return self._call("POST", "/choices", body)

    def changes(self, after: str | None = None, *, types: Sequence[str] = (), limit: int = 1000, wait: int = 0) -> Page:
        """What changed after the cursor; with `wait`, so many seconds for something to come (at most 30)."""
        asked = {"after": after or "", "limit": limit, "wait": wait or "", "type": ",".join(types)}
        query = urllib.parse.urlencode({name: value for name, value in asked.items() if value})
        found = self._call("GET", f"/changes?{query}")
        return Page(found["changes"], found["cursor"], found["more"])

    def position(self) -> Row:
        """What this mailer has acknowledged, how far it is behind, and the newest cursor."""
        return self._call("GET", "/changes/position")

    def acknowledge(self, cursor: str) -> Row:
        """This mailer has applied everything up to here. Never moves back."""
        return self._call("POST", "/changes/acknowledge", {"cursor": cursor})

    def follow(self, after: str | None = None, *, types: Sequence[str] = (), wait: int = 25) -> Iterator[Page]:
        """Pages of changes without end, from what was acknowledged last unless told where.

        A page is acknowledged when the next is asked for, that is when the body of your loop has ended without an error: apply
        first, then go on. Stopped in between, the same page comes again.
        """
        cursor = self.position()["cursor"] if after is None else after
        while True:
            page = self.changes(cursor, types=types, wait=wait)
            if page.changes:
                yield page
            if page.cursor != cursor:
                self.acknowledge(page.cursor)
            cursor = page.cursor

    def suppressions(self) -> Iterator[Row]:
        """Every active address-level stop. Raises ApiError `cut_short` where the stream breaks off: begin anew."""
        try:
            yield from self._lines("/suppressions", None)
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error, "cut_short") from None

    def check_headers(self, message: bytes) -> Row:
        """The header doctor's findings about a raw message."""
        return self._call("POST", "/header-check", message)

    def _call(self, method: str, path: str, body: Row | bytes | None = None) -> Row:
        headers, data = {"Accept": JSON}, None
        if isinstance(body, bytes):
            data, headers["Content-Type"] = body, "message/rfc822"
        elif body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            headers.update({"Content-Type": JSON, "Idempotency-Key": str(uuid.uuid4())})
        for attempt in range(1, self._attempts + 1):
            try:
                with self._open(method, path, data, headers) as answer:
                    return _object(answer.read())
            except (OSError, http.client.HTTPException) as error:  # noqa: PERF203 - trying again is the point
                if attempt == self._attempts:
                    raise _unreachable(error) from None
                self._wait(attempt)
        raise AssertionError("unreachable")

    def _lines(self, path: str, lines: list[Any] | None) -> Iterator[Row]:
        """The rows of an NDJSON answer. Raises http.client.IncompleteRead where its last line, with `count`, is missing."""
        data, headers = None, {"Accept": NDJSON}
        if lines is not None:
            data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
            headers["Content-Type"] = NDJSON
        with self._open("GET" if data is None else "POST", path, data, headers) as answer:
            for number, line in enumerate(answer):
                if not line.endswith(b"\n"):
                    break
                row = _object(line)
                if "count" in row:
                    return
                if number > 0 or "decision_id" not in row:
                    yield row
        raise http.client.IncompleteRead(b"")

    def _open(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Any:
        """The answer, where it is a good one. Repeats what the server asks to repeat. Raises ApiError, OSError."""
        for attempt in range(1, self._attempts + 1):
            request = urllib.request.Request(  # noqa: S310 - the scheme was checked when the client was made
                self._base + path, data=data, headers={**self._headers, **headers}, method=method
            )
            try:
                return self._opener.open(request, timeout=self._timeout)
            except urllib.error.HTTPError as error:
                with error:
                    refused, wait = _refusal(error), error.headers.get("Retry-After", "")
                if error.code not in _RETRIED or attempt == self._attempts:
                    raise refused from None
                self._wait(attempt, float(wait) if wait.isdigit() else None)
        raise AssertionError("unreachable")

    def _wait(self, attempt: int, told: float | None = None) -> None:
        wait = told if told is not None else min(60.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._sleep(min(wait, _MOST_WAIT_SECONDS))


def verify_webhook(
    secrets: str | Sequence[str], headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> Row:
    """The message, where one of the secrets (`whsec_…`) signed it within five minutes (Standard Webhooks 1.0).

    Give the raw body, not a parsed one. Keep the ids (`webhook-id`) that you have done: a repeat carries the same. Raises
    InvalidWebhook.
    """
    found = {name.lower(): value for name, value in headers.items()}
    number, stamp = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    if not number or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise InvalidWebhook("webhook-id or webhook-timestamp is missing")
    if abs((time.time() if now is None else now) - int(stamp)) > WEBHOOK_TOLERANCE_SECONDS:
        raise InvalidWebhook("the message is too old, or a clock is wrong")
    signed = f"{number}.{stamp}.".encode() + body
    given = found.get("webhook-signature", "").split(" ")[:20]
    theirs = [_decoded(one[3:]) for one in given if one.startswith("v1,")]
    ours = [hmac.digest(_secret(one), signed, "sha256") for one in ([secrets] if isinstance(secrets, str) else secrets)]
    if not [True for one in ours for other in theirs if hmac.compare_digest(one, other)]:
        raise InvalidWebhook("no signature fits")
    return _object(body)


def _secret(text: str) -> bytes:
    key = _decoded(text[len("whsec_") :] if text.startswith("whsec_") else text)
    if len(key) < 16:
        raise ValueError("a webhook secret is whsec_ and base64")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _batches(rows: Iterable[Any], most: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while batch := list(islice(source, most)):
        yield batch


def _object(raw: bytes) -> Row:
    with suppress(ValueError):
        found = json.loads(raw)
        if isinstance(found, dict):
            return found
    raise _not_understood(200)


def _refusal(error: urllib.error.HTTPError) -> ApiError:
    try:
        found = json.loads(error.read(1_000_000))
        return ApiError(error.code, found["code"], found["detail"], found.get("errors", ()), found.get("reason"))
    except (ValueError, KeyError, TypeError, AttributeError, OSError, http.client.HTTPException):
        return _not_understood(error.code)


def _not_understood(status: int) -> ApiError:
    return ApiError(status, "not_understood", "Something else than the service answered.")


def _unreachable(error: Exception, code: str = "unreachable") -> ApiError:
    return ApiError(0, code, f"The service could not be reached, or broke off ({type(error).__name__}).")
