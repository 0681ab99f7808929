"""A rehearsal: work done for real on one connection, seen, and undone whole (docs/adr/0014-a-check-rehearses.md).

Whatever the work opens with `transaction()`, `deciding()`, `reading()` or `glancing()` happens on the stage's connection, in
savepoints, so that it commits and rolls back as always among itself. Nothing of it is ever committed, and nobody else sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from flask import current_app
from sqlalchemy import Connection, Engine, text

P = ParamSpec("P")
T = TypeVar("T")

_stage: ContextVar[Connection | None] = ContextVar("preferences_rehearsal", default=None)

_WRITTEN = text("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables")


def on_stage() -> Connection | None:
    """The connection of the rehearsal that is going on, in whose context this is called."""
    return _stage.get()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a rehearsal happens."""

    connection: Connection

    def perform(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work in a context of its own: the application it runs sees nothing of the request that asks for it."""
        context = Context()
        context.run(_stage.set, self.connection)
        context.run(structlog.contextvars.bind_contextvars, rehearsal=True)
        return context.run(work, *args, **kwargs)

    def rows_written(self) -> int:
        """A count that has grown exactly when something was written since it was last taken, undone or not."""
        driver = self.connection.connection.driver_connection
        if self.connection.dialect.name == "sqlite":
            return int(driver.total_changes)  # type: ignore[union-attr]
        return int(self.connection.execute(_WRITTEN).scalar_one())


@contextmanager
def rehearsal() -> Iterator[Stage]:
    """A stage on a connection of its own, rolled back at the end whatever happens. On SQLite it holds the write lock."""
    engine: Engine = current_app.extensions["sqlalchemy"].engine
    with engine.connect() as connection:
        outer = connection.begin()
        try:
            yield Stage(connection)
        finally:
            outer.rollback()
