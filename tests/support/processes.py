"""The worker as a process of its own, to be killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from tests.conftest import settings_environment

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(app: Flask, **more: str) -> dict[str, str]:
    """The environment of a process of its own on the application's database."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    return {**os.environ, **settings_environment(url, INSTANCE_PATH=app.instance_path, **more)}


def mailing_through(port: int, *, timeout: int = 3) -> dict[str, str]:
    """Settings that send mail to a server on this machine."""
    return {
        "MAIL_TRANSPORT": "smtp",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(port),
        "MAIL_SECURITY": "none",
        "MAIL_TIMEOUT": str(timeout),
    }


@contextlib.contextmanager
def worker_process(app: Flask, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`flask worker` on the application's database; killed at the end where it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "worker"],
        cwd=ROOT,
        env=environment(app, **settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
