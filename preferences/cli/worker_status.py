"""`flask worker --status`: who is at work, and how much is waiting."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from preferences.models.transaction import reading
from preferences.queries.upkeep.worker_state import OutboxDepth, WorkerView, outbox_depth, workers


def show_status(*, as_json: bool) -> int:
    """Print it. Returns the exit status: 0 when a worker is alive and none of its lanes hangs, otherwise 1."""
    now = datetime.now(UTC)
    with reading() as session:
        found, depth = workers(session), outbox_depth(session, now=now)
    if as_json:
        click.echo(json.dumps(_as_json(found, depth, now)))
    else:
        _in_words(found, depth, now)
    alive = [worker for worker in found if worker.is_alive(now)]
    return 0 if alive and not any(worker.hanging_lanes() for worker in alive) else 1


def _in_words(found: Sequence[WorkerView], depth: OutboxDepth, now: datetime) -> None:
    for worker in found:
        seen = round((now - worker.seen_at).total_seconds())
        state = "alive" if worker.is_alive(now) else "silent"
        hanging = "".join(f", lane {lane} hangs" for lane in worker.hanging_lanes())
        click.echo(f"{worker.name}  {state}, seen {seen} s ago{hanging}")
    if not found:
        click.echo("No worker is at work.")
    oldest = f", the oldest for {round(depth.oldest_age(now).total_seconds())} s" if depth.due else ""
    click.echo(f"{depth.waiting} jobs wait, {depth.due} of them due{oldest}.")


def _as_json(found: Sequence[WorkerView], depth: OutboxDepth, now: datetime) -> dict[str, object]:
    return {
        "workers": [
            {
                "name": worker.name,
                "alive": worker.is_alive(now),
                "started_at": worker.started_at.isoformat(),
                "seen_at": worker.seen_at.isoformat(),
                "hanging_lanes": worker.hanging_lanes(),
            }
            for worker in found
        ],
        "outbox": {
            "waiting": depth.waiting,
            "due": depth.due,
            "oldest_due_seconds": round(depth.oldest_age(now).total_seconds()),
        },
    }
