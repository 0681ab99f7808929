"""Calls other people's servers, guarded: public addresses only, TLS verified, no redirects, bounded in time and size (SSRF).

What a name leads to is looked up and checked at every call, and the connection goes to the address that was checked. A server
that drips its answer byte by byte is cut off by whoever holds the `Line`: no timeout of a single read would end that.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from preferences.domain.webhooks import Attempt, AttemptCode, code_of_status

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
TOTAL_SECONDS = 15.0
EXCERPT_BYTES = 500
"""How much of an answer is kept."""
ANSWER_BYTES = 16_384
"""How much of an answer is read at all; the rest is cut off with the connection."""


class Reach(StrEnum):
    """Where a line may lead."""

    PUBLIC = "public"
    """Public addresses, over https."""
    ANYWHERE = "anywhere"
    """A host that the operator named."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What answered a GET: status, the beginning of the body, where a redirect leads, until when the certificate is good."""

    status: int
    excerpt: str
    location: str
    certificate_ends_at: datetime | None


class CallFailed(Exception):
    """A call that brought no answer that can be used."""

    def __init__(self, code: AttemptCode) -> None:
        super().__init__(code.value)
        self.code = code


class Line:
    """One thread's way out to one server, kept alive between calls. `hang_up_if_overdue` may come from any thread."""

    def __init__(self, reach: Reach, *, user_agent: str, ca_file: str = "") -> None:
        self._user_agent = user_agent
        self._session = _session(reach)
        if ca_file:
            self._session.verify = ca_file
        self._socket: socket.socket | None = None
        self._overdue_at: float | None = None
        self._was_cut = False

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """One POST and what came of it. Never raises for anything the server does."""
        started = time.monotonic()
        sent = {"content-type": "application/json", "accept": "*/*", **headers}
        try:
            with self._calling(TOTAL_SECONDS):
                status, excerpt, asked = self._send(url, body, sent)
        except CallFailed as failed:
            return Attempt(code=failed.code, latency=_since(started))
        code = code_of_status(status)
        return Attempt(code=code, status=status, latency=_since(started), excerpt=excerpt, retry_after=asked)

    def get(self, url: str) -> Fetched:
        """One GET of an address of our own; cut off when it takes too long. Raises OSError, HTTPError or ValueError."""
        prepared = requests.PreparedRequest()
        prepared.prepare(method="GET", url=url, headers={"user-agent": self._user_agent, "accept": "*/*"})
        self._was_cut, self._overdue_at, _current.line = False, time.monotonic() + TOTAL_SECONDS, self
        watch = threading.Timer(TOTAL_SECONDS + 0.1, self.hang_up_if_overdue)
        watch.start()
        try:
            timeout = (CONNECT_SECONDS, READ_SECONDS)
            with self._session.send(prepared, stream=True, allow_redirects=False, timeout=timeout) as response:
                ends_at = _certificate_ends_at(self._socket)
                excerpt = _excerpt(response)
                if self._was_cut:
                    raise TimeoutError
                return Fetched(response.status_code, excerpt, response.headers.get("Location", "")[:300], ends_at)
        finally:
            watch.cancel()
            self._overdue_at = _current.line = self._socket = None

    def fetch(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, most_bytes: int, seconds: float
    ) -> tuple[int, bytes]:
        """One call whose whole answer is wanted: status and body. Raises CallFailed, also for more than `most_bytes`.

        Nobody has to hold the line: it is cut off after `seconds` by a timer of its own.
        """
        watch = threading.Timer(seconds + 0.05, self.hang_up_if_overdue)
        watch.daemon = True
        watch.start()
        try:
            with self._calling(seconds), self._open(method, url, body, headers) as response:
                found = bytes(response.raw.read(most_bytes + 1, decode_content=False))
                if self._was_cut:
                    raise TimeoutError
                if len(found) > most_bytes:
                    raise CallFailed(AttemptCode.FAILED)
                return response.status_code, found
        finally:
            watch.cancel()

    @contextlib.contextmanager
    def _calling(self, seconds: float) -> Iterator[None]:
        """The call in hand, until it is over or overdue. Whatever goes wrong with it is a CallFailed."""
        self._was_cut, self._overdue_at, _current.line = False, time.monotonic() + seconds, self
        try:
            yield
        except AntiSSRFError:
            raise CallFailed(AttemptCode.PRIVATE_ADDRESS) from None
        except requests.exceptions.SSLError:
            raise CallFailed(AttemptCode.CERTIFICATE) from None
        except (requests.exceptions.Timeout, TimeoutError):
            raise CallFailed(AttemptCode.TIMED_OUT) from None
        except (OSError, HTTPError, ValueError):
            raise CallFailed(AttemptCode.TIMED_OUT if self._was_cut else AttemptCode.UNREACHABLE) from None
        finally:
            self._overdue_at = _current.line = self._socket = None

    def _open(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> requests.Response:
        prepared = requests.PreparedRequest()
        prepared.prepare(method=method, url=url, headers={"user-agent": self._user_agent, **headers}, data=body)
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        return self._session.send(prepared, stream=True, allow_redirects=False, timeout=timeout)

    def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, timedelta | None]:
        with self._open("POST", url, body, headers) as response:
            if self._was_cut:  # what was read of the headers is no answer, whatever its first line says
                raise TimeoutError
            asked = None if response.ok else retry_after(response.headers.get("Retry-After"))
            return response.status_code, _excerpt(response), asked

    def hang_up_if_overdue(self) -> None:
        """End a call that takes longer than TOTAL_SECONDS, whatever it is waiting for."""
        overdue_at, line = self._overdue_at, self._socket
        if overdue_at is not None and line is not None and time.monotonic() > overdue_at:
            self._was_cut = True
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def uses(self, found: socket.socket | None) -> None:
        """The socket that the call in hand speaks over."""
        self._socket = found


def retry_after(text: str | None) -> timedelta | None:
    """What a Retry-After header asks for: seconds or a date (RFC 9110 10.2.3); None where it says nothing that can be used."""
    if text is None or len(text) > 100:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return timedelta(seconds=min(int(text), 10**7))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    seconds = moment.timestamp() - time.time() if moment.tzinfo else 0
    return timedelta(seconds=min(seconds, 10**7)) if seconds > 0 else None


def _excerpt(response: requests.Response) -> str:
    """The beginning of the answer as text. What was read does not change what the status said, so nothing is raised."""
    try:
        raw = response.raw.read(ANSWER_BYTES, decode_content=False)
    except (OSError, HTTPError, ValueError):
        raw = b""
    text = bytes(raw[:EXCERPT_BYTES]).decode("utf-8", "replace")
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)


def _certificate_ends_at(found: socket.socket | None) -> datetime | None:
    """Until when the certificate of a connection is good; None without one."""
    try:
        certificate = found.getpeercert() if isinstance(found, ssl.SSLSocket) else None
        ends = str((certificate or {}).get("notAfter", ""))
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None
    except (OSError, ValueError):
        return None


def _since(started: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - started)


@dataclass
class _Current(threading.local):
    line: Line | None = None


_current = _Current()


class _Announced:
    """A connection that tells the call in hand which socket it uses, and that names its port in Host (RFC 9110 7.2)."""

    sock: Any
    port: Any
    default_port: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._announce()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._announce()
        headers = kwargs.get("headers")
        if headers is not None and self.port not in {None, self.default_port} and "Host" in headers:
            headers["Host"] = f"{headers['Host']}:{self.port}"
        super().request(*args, **kwargs)  # type: ignore[misc]
        self._announce()

    def _announce(self) -> None:
        if _current.line is not None:
            _current.line.uses(self.sock)


class _Http(_Announced, HTTPConnection):
    pass


class _Https(_Announced, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http  # type: ignore[assignment]


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https  # type: ignore[assignment]


def _session(reach: Reach) -> requests.Session:
    public = PolicyConfigOptions.EXTERNAL_ONLY_LATEST
    policy = AntiSSRFPolicy(public if reach is Reach.PUBLIC else PolicyConfigOptions.NONE)
    policy.allow_plain_text_http = reach is Reach.ANYWHERE
    policy.add_xff_header = False
    session: requests.Session = policy.get_antissrf_session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for adapter in session.adapters.values():
        assert isinstance(adapter, HTTPAdapter)  # noqa: S101 - that is what the library mounts
        adapter.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return session
