"""The chunks of an import, checked and encrypted: by this process as they are asked for, or ahead of it by one beside it.

Half the work of an import needs no database. A command may have a second process do it while the first writes; a server or a
worker, which has threads and must not fork, does both.
"""

from __future__ import annotations

import multiprocessing
import signal
from enum import Enum, auto
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, Protocol

from sqlalchemy import Engine

from preferences.domain.intake import RowResult
from preferences.queries.imports.imports import ImportView
from preferences.queries.purposes.purposes import catalogue
from preferences.services.intake.prepare import Prepared, seal_rows

from .imports import CHUNK_ROWS, ImportTools, OpenFile, import_source, open_file

Chunk = list[Prepared | RowResult]


class Preparing(Enum):
    """Where chunks are prepared."""

    HERE = auto()
    BESIDE = auto()


class Chunks(Protocol):
    """Gives the chunks in order, then an empty one."""

    def next(self) -> Chunk:
        """The next chunk. Raises Conflict when the file was not the one received."""
        ...

    def close(self) -> None:
        """Nothing more is wanted."""
        ...


class ChunksHere:
    """Prepares in this process."""

    def __init__(self, tools: ImportTools, file: OpenFile) -> None:
        self._tools = tools
        self._file = file

    def next(self) -> Chunk:
        """The next chunk."""
        rows = list(islice(self._file.rows, CHUNK_ROWS))
        if not rows:
            self._file.check()
            return []
        with self._tools.reading() as session:
            known = catalogue(session)
        return seal_rows(rows, known, source=import_source(self._file.view.id), now=self._tools.now())

    def close(self) -> None:
        """Nothing to do."""


class ChunksBeside:
    """Prepares in a forked process, one chunk ahead. Nobody else may use the database in this process when it is made."""

    def __init__(self, tools: ImportTools, view: ImportView, position: int) -> None:
        with tools.reading() as session:
            engine = session.get_bind()
        if isinstance(engine, Engine):
            engine.dispose()  # no connection may be shared with the other process
        fork = multiprocessing.get_context("fork")
        self._pipe, theirs = fork.Pipe(duplex=False)
        self._process = fork.Process(
            target=_prepare_beside, args=(tools, view, position, self._pipe, theirs), daemon=True
        )
        self._process.start()
        theirs.close()

    def next(self) -> Chunk:
        """The next chunk. Raises what was raised in the other process, or RuntimeError when it was killed."""
        try:
            found: Any = self._pipe.recv()
        except EOFError as error:
            raise RuntimeError("the process that prepares the import ended; run the command again") from error
        if isinstance(found, Exception):
            raise found
        chunk: Chunk = found
        return chunk

    def close(self) -> None:
        """End the other process: it meets a closed pipe."""
        self._pipe.close()
        self._process.join(5)


def open_chunks(tools: ImportTools, view: ImportView, position: int, preparing: Preparing) -> Chunks:
    """The chunks behind this position."""
    if preparing is Preparing.BESIDE and "fork" in multiprocessing.get_all_start_methods():
        return ChunksBeside(tools, view, position)
    return ChunksHere(tools, _skipping(open_file(tools, view), position))


def _prepare_beside(tools: ImportTools, view: ImportView, position: int, theirs: Connection, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    theirs.close()
    try:
        chunks = ChunksHere(tools, _skipping(open_file(tools, view), position))
        while chunk := chunks.next():
            pipe.send(chunk)
        pipe.send([])
    except BrokenPipeError:
        return
    except Exception as error:
        pipe.send(error)


def _skipping(file: OpenFile, position: int) -> OpenFile:
    for _ in islice(file.rows, position):
        pass
    return file
