"""`flask worker`: deliver what the outbox holds."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import IO, cast

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from preferences.config import Settings
from preferences.worker import SomebodyElseWorks, Worker, metrics_served, work_alone

from .worker_status import show_status

LOCK_LOOKED_AT_EVERY_SECONDS = 0.5


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
@click.option("--status", is_flag=True, help="Say who is at work and how much is waiting; fails when nobody is.")
@click.option("--json", "as_json", is_flag=True, help="With --status: print the result as JSON.")
@click.option("--parent", type=int, hidden=True, help="Stop when this process is no longer the parent.")
@with_appcontext
def worker(once: bool, status: bool, as_json: bool, parent: int | None) -> None:
    """Send mail and do other queued work until stopped (SIGTERM finishes the job in hand)."""
    if as_json and not status:
        raise click.UsageError("--json belongs to --status.")
    if status:
        raise SystemExit(show_status(as_json=as_json))
    stop = stop_on_signals()
    if once:
        click.echo(f"{Worker(stop=stop).run_until_idle()} jobs worked on.")
        return

    def still_wanted() -> bool:
        return parent is None or os.getppid() == parent

    lock = _alone_or_refuse() if parent is None else wait_until_alone(stop, still_wanted)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with metrics_served(app, cast(Settings, app.extensions["preferences.settings"])):
        Worker(stop=stop).run(still_wanted)
    if lock is not None:
        lock.close()


def work_until_idle() -> int:
    """Do everything that is due now, for another command. Returns how many jobs were worked on."""
    return Worker().run_until_idle()


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    return stop


def _alone_or_refuse() -> IO[str] | None:
    try:
        return work_alone()
    except SomebodyElseWorks as error:
        raise click.ClickException(f"{_who(error)}; SQLite has one. For several workers use PostgreSQL.") from None


def wait_until_alone(stop: threading.Event, still_wanted: Callable[[], bool]) -> IO[str] | None:
    """The lock, as soon as the other worker has ended: one that finishes its work while the next service starts is no fault."""
    has_said = False
    while still_wanted() and not stop.is_set():
        try:
            return work_alone()
        except SomebodyElseWorks as error:
            if not has_said:
                click.echo(f"{_who(error)}; waiting until it ends, because SQLite has one.", err=True)
                has_said = True
            stop.wait(LOCK_LOOKED_AT_EVERY_SECONDS)
    return None


def _who(error: SomebodyElseWorks) -> str:
    process = f" (process {error.process})" if error.process else ""
    return f"Another worker{process} is at work on this database"
