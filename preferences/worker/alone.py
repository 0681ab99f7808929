"""One worker on SQLite, which has one writer: a lock on a file beside the database, gone with its holder however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from flask import current_app
from sqlalchemy import Engine


class SomebodyElseWorks(Exception):
    """Another worker holds the lock. `process` is its number, where it could be read."""

    def __init__(self, process: str) -> None:
        self.process = process
        super().__init__(process)


def work_alone() -> IO[str] | None:
    """The lock of this application's database, held until it is closed; None on PostgreSQL, where any number may work.

    Raises SomebodyElseWorks.
    """
    engine: Engine = current_app.extensions["sqlalchemy"].engine
    if engine.dialect.name != "sqlite":
        return None
    path = Path(f"{engine.url.database}-worker")
    held = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = held.read(20).strip()
        held.close()
        raise SomebodyElseWorks(process if process.isdigit() else "") from None
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held
