"""`flask worker`: deliver what the outbox holds."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import click
from flask.cli import with_appcontext

from preferences.worker import Worker


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
@click.option("--parent", type=int, hidden=True, help="Stop when this process is no longer the parent.")
@with_appcontext
def worker(once: bool, parent: int | None) -> None:
    """Send mail and do other queued work until stopped (SIGTERM finishes the job in hand)."""
    one = Worker(stop=stop_on_signals())
    if once:
        click.echo(f"{one.run_until_idle()} jobs worked on.")
        return
    one.run(still_wanted=lambda: parent is None or os.getppid() == parent)


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
