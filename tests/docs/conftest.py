"""A demo service as `make run` starts it, in a folder of its own, for the examples of the documents."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.quick_flask import quick_flask

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class DemoService:
    """Where the examples run, and the environment they run with."""

    folder: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def demo_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoService]:
    """`python app.py` with demo data, until the last example: its worker would work on beside all other tests."""
    instance = tmp_path_factory.mktemp("instance")
    folder = tmp_path_factory.mktemp("examples")
    for name in ("app.py", "preferences", "templates", "static", "translations", "migrations", "docs", "clients"):
        (folder / name).symlink_to(ROOT / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PREFERENCES_INSTANCE_PATH": str(instance),
        "PREFERENCES_PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BASE_URL": f"http://127.0.0.1:{port}",
    }
    with (instance / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")], cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log
        )
    try:
        _wait_until_it_answers(environment["BASE_URL"], server, instance / "server.log")
        environment["API_KEY"] = json.loads((instance / "demo.json").read_text())["api_key"]
        with quick_flask(tmp_path_factory.mktemp("flask")) as commands:
            environment["PATH"] = f"{commands}{os.pathsep}{environment['PATH']}"
            yield DemoService(folder, environment)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                assert response.status == 200
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the service does not answer: {log.read_text()}")
