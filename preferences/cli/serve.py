"""`python app.py`: one process that serves, with a worker beside it; in development with demo data and what to open.

The server (granian) runs in this process and answers SIGINT and SIGTERM by finishing what it has begun; the worker is a child
that is started again when it dies and told to stop when the server has.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import click
import structlog
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from preferences.config import Environment, MailTransport, Settings
from preferences.domain.errors import PreferencesError
from preferences.metrics import share_counts
from preferences.models.transaction import reading
from preferences.queries.staff.staff import all_staff

from .demo import Demo, make_demo
from .setup import prepare_database
from .worker import work_until_idle

WORKER_STOPS_WITHIN_SECONDS = 30.0
SERVER_STOPS_WITHIN_SECONDS = 20
RESTART_AFTER_SECONDS = 2.0
PARENT_LOOKED_FOR_EVERY_SECONDS = 1.0
NOBODY_YET = (
    "Nobody can sign in to the admin pages yet; this prints a link for the first one:\n"
    "  flask --app app staff create ADDRESS --name NAME --role administrator"
)
CAPABLE_OF_MANY = "postgresql"


def run_everything(app: Flask, *, served: str) -> int:
    """Prepare the database, serve, and work until stopped. Returns the exit status: 0 after SIGINT or SIGTERM.

    `served` is the `module:function` that makes the service in each server process; it calls `follow_parent()` first.
    """
    settings = cast(Settings, app.extensions["preferences.settings"])
    if settings.env is Environment.DEVELOPMENT:
        os.environ.setdefault("PREFERENCES_LOG_LEVEL", "warning")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    taken = port_in_use(settings)
    if taken:
        click.echo(taken, err=True)
        return 1
    with _counts_shared(settings):
        return _prepare_and_serve(app, settings, served)


def _prepare_and_serve(app: Flask, settings: Settings, served: str) -> int:
    made: Demo | None = None
    try:
        with app.app_context():
            prepare_database()
            if settings.env is Environment.DEVELOPMENT and settings.mail_transport is MailTransport.MAILBOX:
                made = make_demo()
                work_until_idle()
            with reading() as session:
                nobody = not all_staff(session)
            app.extensions["sqlalchemy"].engine.dispose()
    except PreferencesError as error:
        click.echo(f"Error: {error.detail}", err=True)
        return 1
    return _serve(settings, served, made, NOBODY_YET if nobody else "")


@contextlib.contextmanager
def _counts_shared(settings: Settings) -> Iterator[None]:
    """Where somebody reads them, let all processes of this service count in one folder, in memory; see preferences/metrics."""
    if not settings.metrics_key and not settings.metrics_port:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="preferences-metrics-", dir=_memory_folder()) as folder:
        share_counts(Path(folder))
        yield


def _memory_folder() -> str | None:
    """Where files lie in memory; None: nowhere."""
    folder = "/dev/shm"  # noqa: S108 - a fresh folder with a random name is made in it, for this user alone
    return folder if os.access(folder, os.W_OK) else None


def port_in_use(settings: Settings) -> str:
    """One line that says that the port is taken and what to do; empty when it is free."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return (
                f"Error: cannot listen on {settings.host} port {settings.port} ({error.strerror}); "
                f"choose another: PREFERENCES_PORT={settings.port + 1} python app.py"
            )
    return ""


def _serve(settings: Settings, served: str, made: Demo | None, hint: str) -> int:
    on_many = settings.database_url.startswith(CAPABLE_OF_MANY)
    server = Granian(
        served,
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.server_workers if on_many else 1,
        blocking_threads=settings.server_threads if on_many else 1,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=SERVER_STOPS_WITHIN_SECONDS,
        working_dir=_root(),
    )
    worker = SupervisedWorker(os.environ)
    server.on_startup(worker.start)
    server.on_startup(lambda: _announce(settings, made, hint))
    if made is not None:
        server.on_startup(lambda: signal.signal(signal.SIGHUP, server.signal_handler_interrupt))
    try:
        server.serve()
    finally:
        worker.stop()
    return 0


def follow_parent() -> None:
    """Take a server process away from the terminal's Ctrl-C, which reaches it through its parent, in order; and end with that.

    A server process that got both would hang until it is killed. One whose parent was killed ends by itself and frees the port.
    """
    with contextlib.suppress(OSError):
        os.setsid()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), name="parent-watcher", daemon=True).start()


def settle_memory() -> None:
    """What lives as long as the process is not searched for garbage again, which took a page up to a fifth of a second."""
    gc.collect()
    gc.freeze()


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOKED_FOR_EVERY_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SERVER_STOPS_WITHIN_SECONDS)
    os._exit(1)


class SupervisedWorker:
    """The worker as a child process of its own group, so that Ctrl-C reaches it through us, in order."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.over = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self._watcher = threading.Thread(target=self._watch, name="worker-watcher", daemon=True)

    def start(self) -> None:
        """Start it, and start it again whenever it ends by itself."""
        self.process = self._spawn()
        self._watcher.start()

    def stop(self) -> None:
        """SIGTERM, then wait for the job in hand; kill only what does not end in time."""
        self.over.set()
        if self._watcher.is_alive():
            self._watcher.join(RESTART_AFTER_SECONDS * 2)
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(WORKER_STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flask", "--app", "app", "worker", "--parent", str(os.getpid())]
        return subprocess.Popen(command, cwd=_root(), env=self.environment, start_new_session=True)

    def _watch(self) -> None:
        while not self.over.wait(RESTART_AFTER_SECONDS):
            if self.process is not None and self.process.poll() is not None and not self.over.is_set():
                click.echo(f"The worker ended (status {self.process.returncode}); starting it again.", err=True)
                self.process = self._spawn()


def _announce(settings: Settings, made: Demo | None, hint: str) -> None:
    where = f"http://{settings.host}:{settings.port}"
    lines = [f"Preferences serves {settings.base_url or where} (Ctrl-C stops it)."]
    if made is not None:
        lines += ["", *made.lines(), ""]
    if hint:
        lines.append(hint)
    click.echo("\n".join(lines))
    with contextlib.suppress(OSError):
        sys.stdout.flush()


def _root() -> Path:
    """The folder of app.py."""
    return Path(__file__).resolve().parent.parent.parent
