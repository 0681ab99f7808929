"""Several at the same moment, each in a thread and an application context of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask
from sqlalchemy import text

T = TypeVar("T")


def at_once(app: Flask, *todo: Callable[[], T]) -> list[T]:
    """Do all of it at the same moment. Returns what came of each, in order."""
    barrier = Barrier(len(todo))

    def one(do: Callable[[], T]) -> T:
        with app.app_context():
            barrier.wait(timeout=30)
            return do()

    with ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(one, todo))


def times(app: Flask, number: int, do: Callable[[int], T]) -> Sequence[T]:
    """The same so many times at once; each is told which one it is."""
    return at_once(app, *(lambda which=which: do(which) for which in range(number)))


def wait_for_lock(app: Flask) -> None:
    """Until somebody waits for a row that another transaction holds; only PostgreSQL tells."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(2000):
        with app.extensions["sqlalchemy"].engine.connect() as connection:
            if connection.execute(blocked).scalar_one():
                return
    raise AssertionError("nobody waits")
