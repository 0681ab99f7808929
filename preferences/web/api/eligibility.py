"""`POST /eligibility`: may this message go to these people, why not, on what basis, and for how long the answer holds (T24)."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, Field

from preferences.domain.eligibility import SENTENCES, Allowed, Decision, Reason, check_at
from preferences.domain.errors import UnknownPurpose
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.domain.scopes import Scope
from preferences.metrics import ELIGIBILITY
from preferences.models.transaction import reading_beside
from preferences.queries.purposes.purposes import catalogue
from preferences.services.eligibility.eligibility import decide_many, sessions_worth_having
from preferences.web.access import Access, access

from . import blueprint
from .answers import Stream
from .calls import Call, Effect, call
from .types import Moment, PurposeKey, Strict, write_moment

log = structlog.get_logger()

MOST_RECIPIENTS = 100_000


class EligibilityAsked(Strict):
    """A purpose, perhaps a topic under it, and those who would get the message."""

    purpose: PurposeKey
    topic: PurposeKey | None = None
    at: Annotated[
        Moment | None, Field(description="When the message would go: up to 90 days ahead. Now, unless given.")
    ] = None
    recipients: Annotated[
        list[Annotated[str, Field(max_length=1000, description="A recipient's id (13 characters) or email address.")]],
        Field(min_length=1),
    ]


class Eligible(BaseModel):
    """The answer about one recipient."""

    recipient: Annotated[str, Field(description="As asked for.")]
    allowed: bool
    reason: Reason
    basis: Annotated[LawfulBasis | None, Field(description="The lawful basis of what is allowed.")]
    since: Annotated[Moment | None, Field(description="When the person acted, where they did.")]
    valid_until: Annotated[
        Moment | None, Field(description="Ask again after this. Null: the refusal does not end by itself.")
    ]


class EligibilityAnswered(BaseModel):
    """One result for each recipient asked for, in the same order."""

    decision_id: Annotated[str, Field(description="Names this answer in the service's log.")]
    purpose: str
    topic: str | None
    at: Moment
    asked_at: Moment
    results: list[Eligible]
    count: int
    counts: Annotated[dict[Reason, int], Field(description="How many results have each reason.")]
    reasons: Annotated[dict[Reason, str], Field(description="A sentence for each reason that occurs.")]


@blueprint.post("/eligibility")
@access(Access.MAILER)
@call(
    scope=Scope.ELIGIBILITY,
    summary="Ask who may get a message",
    takes=EligibilityAsked,
    gives=EligibilityAnswered,
    effect=Effect.READS,
    bulk="recipients",
    most_rows=MOST_RECIPIENTS,
    rows="results",
)
def ask_eligibility(call: Call[EligibilityAsked]) -> Stream:
    """Ask just before handing over, and again after `valid_until`: an opt-out counts at once. Streamed in both forms."""
    path = _path(call)
    at = check_at(call.body.at or call.now, call.now)
    head = {
        "decision_id": secrets.token_hex(16),
        "purpose": path[0].key,
        "topic": path[1].key if len(path) > 1 else None,
        "at": write_moment(at),
        "asked_at": write_moment(call.now),
    }
    counts: Counter[Reason] = Counter()

    def tail() -> dict[str, Any]:
        for reason, count in counts.items():
            ELIGIBILITY.labels(reason.value).inc(count)
        log.info("eligibility_answered", mailer=call.key.mailer.key, **head, counts=counts)
        return {"counts": counts, "reasons": {reason: SENTENCES[reason] for reason in sorted(counts)}}

    return Stream(_rows(call, path, at, counts), name="results", head=head, tail=tail)


def _path(call: Call[EligibilityAsked]) -> list[Purpose]:
    path = catalogue(call.session).path(call.body.purpose, call.body.topic)
    if path[0].about is About.EVERYTHING:
        detail = f"`{path[0].key}` stands for the global stop; ask about a purpose."
        raise UnknownPurpose(detail, pointer="/purpose")
    return path


def _rows(call: Call[EligibilityAsked], path: list[Purpose], at: datetime, counts: Counter[Reason]) -> Iterator[str]:
    with ExitStack() as stack:
        sessions = [call.session]
        while len(sessions) < sessions_worth_having(len(call.body.recipients)):
            sessions.append(stack.enter_context(reading_beside(call.session)))
        decided = decide_many(sessions, path, call.body.recipients, at=at, asked_at=call.now)
        for chunk in stack.enter_context(closing(decided)):
            counts.update(decision.reason for _, decision in chunk)
            for recipient, decision in chunk:
                yield _row(recipient, decision)


def _row(recipient: str, decision: Decision) -> str:
    """One result as JSON. Put together from parts: `json.dumps` would take longer than the decision."""
    why = _ALLOWED[decision.basis] if isinstance(decision, Allowed) else _REFUSED[decision.reason]
    return (
        f'{{"recipient":{encode_basestring(recipient)},{why},"since":{_moment(decision.since)},'
        f'"valid_until":{_moment(decision.until)}}}'
    )


_ALLOWED = {basis: f'"allowed":true,"reason":"{Reason.ALLOWED}","basis":"{basis}"' for basis in LawfulBasis}
_REFUSED = {reason: f'"allowed":false,"reason":"{reason}","basis":null' for reason in Reason}


@lru_cache(maxsize=10_000)
def _moment(moment: datetime | None) -> str:
    """Kept for the next row: all answers of a call hold until the same moment, all consents of an import began together."""
    return "null" if moment is None else f'"{write_moment(moment)}"'
