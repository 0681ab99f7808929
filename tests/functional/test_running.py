"""`python app.py` for real, as a newcomer runs it: the main job from one end to the other (issue 2)."""

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
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest

from preferences.instance import generate_key
from preferences.integrations.mailbox import Mailbox, Received

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

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


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


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


def test_the_main_job_from_one_end_to_the_other(root: Path, tmp_path: Path, port: int) -> None:
    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        status, page = service.fetch(service.page)
        assert status == 200
        assert 'lang="sv"' in page
        assert service.fetch(f"{service.base}/mailbox")[0] == 200

        before = service.may_mail()
        assert (before["allowed"], before["basis"]) == (True, "consent")
        letter = service.letter(ANNA)
        assert service.fetch(f"{service.base}/mailbox/{letter.id}")[0] == 200
        (link,) = set(re.findall(rf"{service.base}/p/\S+", letter.part("plain")))
        assert service.fetch(link)[0] == 200

        header = re.search(r"^List-Unsubscribe: <([^>]+)>$", letter.header_block, re.M)
        assert header is not None
        assert "\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in letter.header_block
        url = header[1]
        assert service.fetch(url)[0] == 200
        assert service.may_mail()["allowed"] is True, "opening the link changes nothing (M4)"
        form = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
        assert service.fetch(url, form, Content_Type="multipart/form-data; boundary=x")[0] == 200
        after = service.may_mail()
        assert (after["allowed"], after["reason"]) == (False, "withdrawn")

        bo = service.letter("bo.lindqvist@havsnas.example")
        header = re.search(r"^List-Unsubscribe: <([^>]+)>$", bo.header_block, re.M)
        assert header is not None
        body = b"List-Unsubscribe=One-Click"
        assert service.fetch(header[1], body, Content_Type="application/x-www-form-urlencoded")[0] == 200
        assert service.may_mail("bo.lindqvist@havsnas.example")["reason"] == "objected"
        first_key = service.key
    assert service.process.returncode == 0

    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        assert service.key == first_key
        assert service.may_mail()["reason"] == "withdrawn"
        assert len(Mailbox(tmp_path / "mailbox").newest()) == 4, "the second run sends nothing again"


def test_a_mail_asked_for_on_the_page_is_sent_by_the_worker_beside_it(root: Path, tmp_path: Path, port: int) -> None:
    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        box = Mailbox(tmp_path / "mailbox")
        lying = len(box.newest())
        with pytest.raises(HTTPError) as answer:
            service.fetch(f"{service.base}/", f"address={ANNA}".encode())
        assert answer.value.code == 303
        answer.value.close()
        deadline = time.monotonic() + 30
        while len(box.newest()) == lying:
            assert time.monotonic() < deadline, "no mail came"
            time.sleep(0.1)
        newest = box.newest(1)[0]
        assert str(newest.parsed["Subject"]) == "Din länk till dina val"
        (link,) = set(re.findall(rf"{service.base}/p/\S+", newest.part("plain")))
        assert service.fetch(link)[0] == 200


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_stops_everything(root: Path, tmp_path: Path, port: int, how: signal.Signals) -> None:
    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        below = children(service.process)
        assert len(below) >= 2
        os.killpg(service.process.pid, how)
        started = time.monotonic()
        assert service.process.wait(40) == 0
        assert time.monotonic() - started < 15
        assert [pid for pid in below if alive(pid)] == []
        assert service.process.stderr is not None
        assert "Traceback" not in service.process.stderr.read()


def test_a_killed_worker_is_started_again(root: Path, tmp_path: Path, port: int) -> None:
    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        first = _worker_below(service.process)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while _worker_below(service.process) in {first, 0}:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_when_the_service_is_killed_its_worker_ends_by_itself(root: Path, tmp_path: Path, port: int) -> None:
    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        below = children(service.process)
        service.process.kill()
        deadline = time.monotonic() + 40
        while any(alive(pid) for pid in below):
            if time.monotonic() > deadline:
                left = [pid for pid in below if alive(pid)]
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"{len(left)} processes are left behind")
            time.sleep(0.2)


def test_a_port_in_use_is_one_line_that_says_what_to_do(root: Path, tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), running(root, tmp_path, port) as service:
        assert service.process.wait(60) == 1
        assert service.process.stderr is not None
        errors = service.process.stderr.read()
    assert len(errors.splitlines()) == 1
    assert f"PREFERENCES_PORT={port + 1}" in errors
    assert not (tmp_path / "preferences.db").exists()


def test_in_production_it_serves_without_demo_and_without_mailbox(root: Path, tmp_path: Path, port: int) -> None:
    settings = {
        "ENV": "production",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'production.db'}",
        "BASE_URL": "https://preferences.kundbolaget.se",
        "MAIL_TRANSPORT": "smtp",
        "MAIL_SERVER": "smtp.kundbolaget.se",
        "MAIL_FROM": "no-reply@kundbolaget.se",
        "ORGANISATION_NAME": "Kundbolaget AB",
        "ORGANISATION_EMAIL": "privacy@kundbolaget.se",
        **{name: generate_key() for name in ("SECRET_KEYS", "LINK_KEYS", "DATA_KEYS", "INDEX_KEY", "SEAL_KEYS")},
    }
    with running(root, tmp_path, port, **settings) as service:
        service.wait_until_it_says_what_to_open("serves https://preferences.kundbolaget.se")
        assert "pk_" not in service.printed
        for path in ("/mailbox", "/mailbox/x"):
            with pytest.raises(HTTPError) as answer:
                service.fetch(service.base + path)
            assert answer.value.code == 404
            answer.value.close()
        assert service.fetch(f"{service.base}/")[0] == 200
    assert not (tmp_path / "demo.json").exists()
    assert service.process.returncode == 0


def _worker_below(process: subprocess.Popen[str]) -> int:
    for pid in children(process):
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"\0worker\0" in command.read_bytes():
            return pid
    return 0
