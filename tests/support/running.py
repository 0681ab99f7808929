"""`python app.py` as a newcomer runs it: what it printed, how to ask it, and which processes it has."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import HTTPRedirectHandler, Request, build_opener

from preferences.integrations.mailbox import Mailbox, Received

ANNA = "anna.ek@nordvik.example"


class NoRedirect(HTTPRedirectHandler):
    """A mail client's one-click follows nothing (M3)."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


class Running:
    """A service that runs: what it printed, and how to ask it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, port: int) -> None:
        self.process = process
        self.folder = folder
        self.base = f"http://127.0.0.1:{port}"
        self.printed = ""

    def wait_until_it_says_what_to_open(self, last: str = "curl") -> None:
        assert self.process.stdout is not None
        while last not in self.printed:
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.printed}"
            self.printed += line
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self.base.rpartition(":")[2]))) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("nobody listens")

    def fetch(self, url: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
        request = Request(url, data=data, headers={name.replace("_", "-"): value for name, value in headers.items()})
        with build_opener(NoRedirect).open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()

    @property
    def key(self) -> str:
        found = re.search(r"pk_[\w-]+", self.printed)
        assert found is not None
        return found[0]

    @property
    def page(self) -> str:
        found = re.search(rf"{self.base}/p/\S+", self.printed)
        assert found is not None
        return found[0]

    def may_mail(self, address: str = ANNA) -> dict[str, object]:
        """Ask with the printed question, word for word."""
        (line,) = [line for line in self.printed.splitlines() if line.strip().startswith("curl ")]
        words = shlex.split(line.replace(ANNA, address))
        status, text = self.fetch(
            words[2],
            words[words.index("-d") + 1].encode(),
            Authorization=words[4].removeprefix("Authorization: "),
            Content_Type="application/json",
        )
        assert status == 200
        results: list[dict[str, object]] = json.loads(text)["results"]
        return results[0]

    def letter(self, address: str) -> Received:
        (found,) = [one for one in Mailbox(self.folder / "mailbox").newest() if address in str(one.parsed["To"])]
        return found


@contextmanager
def running(root: Path, folder: Path, port: int, **settings: str) -> Iterator[Running]:
    """`python app.py` in a folder of its own; stopped at the end whatever happened."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFERENCES_")}
    environment |= {"PREFERENCES_INSTANCE_PATH": str(folder), "PREFERENCES_PORT": str(port)}
    environment |= {f"PREFERENCES_{name}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    service = Running(process, folder, port)
    try:
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        print(errors)  # noqa: T201 - shown when the test fails


def children(process: subprocess.Popen[str]) -> list[int]:
    """Every process below this one that lives."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(ppid) for pid, ppid, state in map(str.split, listed.splitlines()) if state[0] != "Z"}

    def below(pid: int) -> list[int]:
        direct = [child for child, parent in parents.items() if parent == pid]
        return direct + [deeper for child in direct for deeper in below(child)]

    return below(process.pid)


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
