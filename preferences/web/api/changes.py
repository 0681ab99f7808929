"""`GET /changes`: the change feed, every change once; `/changes/acknowledge` and `/changes/position`: how far a mailer is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from preferences.domain.events import EventType
from preferences.domain.feed import CURSOR_PATTERN, START, FeedPosition, format_cursor, parse_cursor, refuse_beyond
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.transaction import reading
from preferences.queries.mailers.changes import Change, changes_between, newest_position
from preferences.queries.mailers.reconciliation import behind_of
from preferences.queries.purposes.purposes import catalogue
from preferences.services.outbox.acknowledge import acknowledge_changes
from preferences.web.access import Access, access

from . import blueprint
from .answers import Answer, Stream, write_json
from .calls import Call, Effect, call
from .types import Moment, Nothing, Number, Strict, separated, write_moment
from .waiting import wait_for

MOST_CHANGES = 10_000
MOST_SECONDS = 30

CursorText = Annotated[
    str,
    Field(
        pattern=CURSOR_PATTERN,
        description="A cursor as the feed gave it.",
        examples=["AQAAAAAAAAAAAAAAAAAAAAAL7A"],
    ),
]


class ChangesAsked(Strict):
    """Where to go on, and how much."""

    after: Annotated[
        str | None,
        Field(
            pattern=CURSOR_PATTERN,
            description="The cursor of the answer before; left out: from the very first change.",
        ),
    ] = None
    limit: Annotated[Number, Field(ge=1, le=MOST_CHANGES, description="At most so many changes.")] = 1000
    type: Annotated[
        list[Annotated[EventType, Field(strict=False)]] | None,
        BeforeValidator(separated),
        Field(min_length=1, max_length=len(EventType), description="Only changes of these types."),
    ] = None
    wait: Annotated[
        Number,
        Field(ge=0, le=MOST_SECONDS, description="Where there is nothing yet, so many seconds for something to come."),
    ] = 0


class ChangeTold(BaseModel):
    """One change. Ids and codes, never an address."""

    id: Annotated[int, Field(description="The same in webhooks and on every repeat.")]
    type: EventType
    recorded_at: Moment
    recipient: Annotated[str | None, Field(description="The recipient's id.")]
    data: Annotated[
        dict[str, Any],
        Field(
            description="Of an act: `entry`, `purpose`, `act`, `basis`, `method`, `occurred_at`, `training`, `paused_until`. "
            "Else what docs/events.md says of the type."
        ),
    ]


class ChangesTold(BaseModel):
    """Changes in the order of the feed, and where to go on."""

    changes: list[ChangeTold]
    count: int
    cursor: Annotated[str, Field(description="Send it as `after` next time, also where there were no changes.")]
    more: Annotated[bool, Field(description="Whether there is more to read right now.")]


class AcknowledgeAsked(Strict):
    """How far this mailer is."""

    cursor: CursorText


class PositionTold(BaseModel):
    """Where this mailer stands."""

    cursor: Annotated[str | None, Field(description="The furthest cursor acknowledged; null: none yet.")]
    acknowledged_at: Moment | None
    newest: Annotated[str, Field(description="The end of the feed: begin after it to hear only what is new.")]
    behind: Annotated[int, Field(description="Changes not acknowledged; 100,001 where there are more than 100,000.")]
    oldest_opt_out_at: Annotated[Moment | None, Field(description="The oldest opt-out among them.")]


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[str]
    end: FeedPosition
    more: bool


@blueprint.get("/changes")
@access(Access.MAILER)
@call(
    scope=Scope.CHANGES_READ,
    summary="Read the change feed",
    takes=ChangesAsked,
    gives=ChangesTold,
    effect=Effect.WAITS,
    rows="changes",
)
def read_changes(call: Call[ChangesAsked]) -> Stream:
    """Every change once, in an order that never changes: what a cursor has passed is complete. Read, apply, keep the cursor."""
    asked = call.body
    place = START if asked.after is None else parse_cursor(asked.after, pointer="/after")
    seen: list[_Page] = []

    def look() -> _Page | None:
        page = _page(seen[-1].end if seen else place, asked)
        seen.append(page)
        return page if page.rows else None

    page = wait_for(look, asked.wait) or seen[-1]
    tail = {"cursor": format_cursor(page.end), "more": page.more}
    return Stream(page.rows, name="changes", tail=lambda: tail)


@blueprint.post("/changes/acknowledge")
@access(Access.MAILER)
@call(
    scope=Scope.CHANGES_READ,
    summary="Say how far you have applied the feed",
    takes=AcknowledgeAsked,
    gives=PositionTold,
    effect=Effect.CHANGES,
)
def acknowledge(call: Call[AcknowledgeAsked]) -> Answer:
    """This mailer has applied everything up to here. It never moves back: an older cursor changes nothing."""
    place = parse_cursor(call.body.cursor, pointer="/cursor")
    acknowledge_changes(call.session, call.key.mailer.id, place, now=call.now)
    return Answer(_position(call))


@blueprint.get("/changes/position")
@access(Access.MAILER)
@call(
    scope=Scope.CHANGES_READ,
    summary="Show how far you are",
    takes=Nothing,
    gives=PositionTold,
    effect=Effect.READS,
)
def show_position(call: Call[Nothing]) -> Answer:
    """What this mailer has acknowledged, what it has not, and where the feed ends."""
    return Answer(_position(call))


def _page(after: FeedPosition, asked: ChangesAsked) -> _Page:
    """One reading of the feed, in a short transaction of its own."""
    with reading() as session:
        newest = newest_position(session)
        refuse_beyond(after, newest, pointer="/after")
        changes = changes_between(session, after, newest, limit=asked.limit, types=asked.type or ())
        keys = {int(entry.purpose.id): entry.purpose.key for entry in catalogue(session).all()}
    end = changes[-1].position if len(changes) == asked.limit else newest
    return _Page([_row(change, keys) for change in changes], end, end < newest)


def _position(call: Call[Any]) -> dict[str, Any]:
    behind = behind_of(call.session, call.key.mailer)
    at, oldest = behind.acknowledged.at, behind.oldest_opt_out_at
    return {
        "cursor": format_cursor(behind.acknowledged.position) if at else None,
        "acknowledged_at": at and write_moment(at),
        "newest": format_cursor(newest_position(call.session)),
        "behind": behind.changes,
        "oldest_opt_out_at": oldest and write_moment(oldest),
    }


def _row(change: Change, keys: Mapping[int, str]) -> str:
    """One change as JSON. Put together from parts: ten thousand come at a time, and no word in it needs escaping."""
    who = "null" if change.recipient_id is None else f'"{format_recipient_id(change.recipient_id)}"'
    return (
        f'{{"id":{change.id},"type":"{change.type}","recorded_at":"{_moment(change.recorded_at)}",'
        f'"recipient":{who},"data":{_data(change, keys)}}}'
    )


def _data(change: Change, keys: Mapping[int, str]) -> str:
    if change.purpose_id is None or change.occurred_at is None:
        return write_json(change.data or {})
    basis = "null" if change.basis is None else f'"{change.basis}"'
    paused = "null" if change.paused_until is None else f'"{_moment(change.paused_until)}"'
    own = (
        f'"entry":{change.entry_id},"purpose":"{keys[change.purpose_id]}","act":"{change.act}","basis":{basis},'
        f'"method":"{change.method}","occurred_at":"{_moment(change.occurred_at)}",'
        f'"training":{change.training_id or "null"},"paused_until":{paused}'
    )
    return f"{{{own}}}" if not change.data else f"{{{own},{write_json(change.data)[1:]}"


_moment = lru_cache(maxsize=4096)(write_moment)
"""Kept for the next row: what came in one import or one call was recorded at the same moment."""
