"""One call of the API: its declaration (from which OpenAPI is generated) and everything that happens around its view."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from flask import Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from preferences.domain.scopes import Scope
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.mailers import KeyView
from preferences.services.upkeep.idempotency import claim_key, keep_answer
from preferences.web.plumbing import settings, utc_now

from .answers import Answer, Stream, answer_response, stream_response, write_json
from .auth import authenticate, require_scope, spend_one_call
from .bodies import BULK_BODY, FORM, SMALL_BODY, RawBody, read_body, read_form, read_parameters, read_raw, wants_ndjson
from .problems import Problem

B = TypeVar("B", bound=BaseModel)
P = ParamSpec("P")

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)


class Effect(StrEnum):
    """What a call does to what is stored. All but reading calls accept `Idempotency-Key`."""

    READS = "reads"
    """A session that only reads; always answered afresh (T24)."""
    CHANGES = "changes"
    """One transaction around everything."""
    WAITS = "waits"
    """It may wait for something to happen and opens short reading sessions of its own; the one it is given reaches nothing."""
    MINTS = "mints"
    """A session that only reads, so that no lock is held: a repeat would double nothing, it merely gets the same answer."""

    @property
    def takes_idempotency_key(self) -> bool:
        """Whether a repeat may get the first answer again."""
        return self in {Effect.CHANGES, Effect.MINTS}


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """What a view is given: who calls, what with, the time, and the session of its transaction."""

    key: KeyView
    body: B
    session: Session
    now: datetime

    @property
    def source(self) -> str:
        """How the mailer is named in the `source` of what it stores."""
        return f"api:{self.key.mailer.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a call declares about itself."""

    scope: Scope | None
    """None: any key will do."""
    summary: str
    takes: type[BaseModel]
    gives: type[BaseModel]
    effect: Effect
    bulk: str | None
    """The field of `takes` that holds rows."""
    most_rows: int
    rows: str | None
    """The field of `gives` that holds rows."""
    statuses: tuple[int, ...]
    """How it answers when all is well."""
    problems: tuple[int, ...]
    """Statuses it answers beside those that every call can answer."""
    raw: RawBody | None
    """How else the body may come."""
    upload: str | None
    """The field of `takes` that is a file: the body is a form then, and may be as large as any."""


def call(
    *,
    scope: Scope | None,
    summary: str,
    takes: type[B],
    gives: type[BaseModel],
    effect: Effect,
    bulk: str | None = None,
    most_rows: int = 10_000,
    rows: str | None = None,
    statuses: tuple[int, ...] = (200,),
    problems: tuple[int, ...] = (),
    raw: RawBody | None = None,
    upload: str | None = None,
) -> Callable[[Callable[Concatenate[Call[B], P], Answer | Stream]], Callable[P, Response]]:
    """Make a view of the API. It gets a `Call` first, then the path's parameters, and returns an Answer or a Stream.

    `takes` is read from the body, or from the query string where the method has no body.
    """
    spec = Spec(
        scope=scope,
        summary=summary,
        takes=takes,
        gives=gives,
        effect=effect,
        bulk=bulk,
        most_rows=most_rows,
        rows=rows,
        statuses=statuses,
        problems=problems,
        raw=raw,
        upload=upload,
    )

    def declare(view: Callable[Concatenate[Call[B], P], Answer | Stream]) -> Callable[P, Response]:
        @wraps(view)
        def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
            now = utc_now()
            key = authenticate(now)
            spend_one_call(key, now)
            require_scope(key, scope)
            request.max_content_length = _most_bytes(spec)
            idempotency_key = _idempotency_key(effect)
            body = _read(takes, spec)

            def run(session: Session) -> Answer | Stream:
                return view(Call(key, body, session, now), *args, **kwargs)

            request_of = Kept(key.mailer.id, idempotency_key, now)
            if effect is Effect.CHANGES:
                return _change(run, request_of)
            if effect is Effect.WAITS:
                return _wait(run)
            return _mint(run, request_of) if effect is Effect.MINTS else _look(run)

        answer.spec = spec  # type: ignore[attr-defined]
        return answer

    return declare


def spec_of(view: Callable[..., Any]) -> Spec | None:
    """What a view declared with `call`."""
    return getattr(view, "spec", None)


def _most_bytes(spec: Spec) -> int:
    most = settings().max_body_bytes
    if spec.upload:
        return most
    return min(BULK_BODY if spec.bulk or spec.raw else SMALL_BODY, most)


def _read(takes: type[B], spec: Spec) -> B:
    if request.method in {"GET", "HEAD", "DELETE"}:
        return read_parameters(takes)
    if request.args:
        raise Problem(400, "malformed", "This call takes no parameters in the query string.")
    if spec.upload:
        return read_form(takes)
    if not takes.model_fields and not read_raw():
        return takes()
    return read_body(takes, bulk=spec.bulk, most_rows=spec.most_rows, raw=spec.raw)


@dataclass(frozen=True, slots=True)
class Kept:
    """The kept answers of a request that may come again; without an Idempotency-Key there are none."""

    mailer_id: int
    idempotency_key: str | None
    now: datetime

    def claim(self, session: Session) -> Answer | None:
        """The answer that the same request got before; None: this one is the first."""
        if self.idempotency_key is None:
            return None
        kept = claim_key(session, self.mailer_id, self.idempotency_key, _request_digest(), now=self.now)
        if kept is None:
            return None
        body = json.loads(kept.body["text"])
        return Answer(body, kept.status, kept.body["rows"], {"Idempotency-Replayed": "true"})

    def keep(self, session: Session, answer: Answer) -> None:
        """Store the first one's answer."""
        if self.idempotency_key is not None:
            body = {"text": write_json(answer.body), "rows": answer.rows}
            keep_answer(session, self.mailer_id, self.idempotency_key, status=answer.status, body=body)


def _change(run: Callable[[Session], Answer | Stream], kept: Kept) -> Response:
    """Run in one transaction, or repeat the answer that the same request got before. Rendered once it is committed."""
    with transaction() as session:
        found = kept.claim(session)
        if found is None:
            found = _complete(run(session))
            kept.keep(session, found)
    return answer_response(found, ndjson=wants_ndjson())


def _mint(run: Callable[[Session], Answer | Stream], kept: Kept) -> Response:
    """Run without a lock; with an Idempotency-Key the answer of whoever was first is everybody's answer."""
    with reading() as session:
        found = _complete(run(session))
    if kept.idempotency_key is not None:
        with transaction() as session:
            earlier = kept.claim(session)
            if earlier is None:
                kept.keep(session, found)
            found = earlier or found
    return answer_response(found, ndjson=wants_ndjson())


def _complete(found: Answer | Stream) -> Answer:
    assert isinstance(found, Answer)  # noqa: S101 - nothing may be told before it is committed
    return found


def _look(run: Callable[[Session], Answer | Stream]) -> Response:
    """Run with a session that only reads; a stream keeps it until the last row is sent."""
    ndjson = wants_ndjson()
    with ExitStack() as stack:
        found = run(stack.enter_context(reading()))
        if isinstance(found, Answer):
            return answer_response(found, ndjson=ndjson)
        response = stream_response(found, ndjson=ndjson)
        session_is_needed = stack.pop_all()
        response.response = _then_close(response.response, session_is_needed)
        response.call_on_close(session_is_needed.close)
        return response


def _wait(run: Callable[[Session], Answer | Stream]) -> Response:
    """Run without a session: nothing is held while a call waits."""
    found = run(Session())
    if isinstance(found, Answer):
        return answer_response(found, ndjson=wants_ndjson())
    return stream_response(found, ndjson=wants_ndjson())


def _then_close(chunks: Iterable[Any], needed: ExitStack) -> Iterator[Any]:
    with needed:
        yield from chunks


def _idempotency_key(effect: Effect) -> str | None:
    text = request.headers.get("Idempotency-Key")
    if text is None or not effect.takes_idempotency_key:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(text):
        raise Problem(400, "malformed", "An Idempotency-Key is 1 to 200 visible ASCII characters, without spaces.")
    if request.mimetype != FORM:
        read_raw()
        request.environ["preferences.body_read"] = True
    return text


def _request_digest() -> bytes:
    head = f"{request.method} {request.full_path} {request.mimetype}\n"
    digest = hashlib.sha256(head.encode())
    if request.mimetype != FORM:
        digest.update(read_raw())
        return digest.digest()
    digest.update(repr(sorted(request.form.items())).encode())  # the boundary is another one in every repeat
    for name, file in sorted(request.files.items()):
        digest.update(repr((name, file.filename)).encode())
        file.stream.seek(0)
        while part := file.stream.read(1 << 16):
            digest.update(part)
        file.stream.seek(0)
    return digest.digest()
