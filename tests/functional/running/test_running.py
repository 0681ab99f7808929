"""`python app.py` for real, as a newcomer runs it: the main job from one end to the other (issue 2)."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError

import pytest

from preferences.instance import generate_key
from preferences.integrations.mailbox import Mailbox
from tests.support.running import ANNA, Running, alive, children, running
from tests.support.server import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

METRICS_KEY = "monitor-0123456789-abcdefgh"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


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
        first_key, lying = service.key, len(Mailbox(tmp_path / "mailbox").newest())
    assert service.process.returncode == 0

    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        assert service.key == first_key
        assert service.may_mail()["reason"] == "withdrawn"
        assert len(Mailbox(tmp_path / "mailbox").newest()) == lying, "the second run sends nothing again"


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


def test_a_killed_worker_is_started_again_and_ends_by_itself_when_the_service_is_killed(
    root: Path, tmp_path: Path, port: int
) -> None:
    with running(root, tmp_path, port) as service:
        service.wait_until_it_says_what_to_open()
        first = _worker_below(service.process)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while _worker_below(service.process) in {first, 0}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        below = children(service.process)
        service.process.kill()
        deadline = time.monotonic() + 40
        while any(alive(pid) for pid in below):
            if time.monotonic() > deadline:
                left = [pid for pid in below if alive(pid)]
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"{len(left)} processes are left behind")
            time.sleep(0.1)


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
        "METRICS_KEY": METRICS_KEY,
        "METRICS_PORT": str(free_port()),
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
        _counts_are_the_same_wherever_they_are_read(service, settings["METRICS_PORT"])
    assert not (tmp_path / "demo.json").exists()
    assert service.process.returncode == 0


def _counts_are_the_same_wherever_they_are_read(service: Running, metrics_port: str) -> None:
    """One process counts, two others answer: the server with a key, the worker on a port of its own."""
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    for _ in range(3):
        assert service.fetch(f"{service.base}/u/AAAA", b"List-Unsubscribe=One-Click", **form)[0] == 200
    deadline = time.monotonic() + 30
    while json.loads(service.fetch(f"{service.base}/readyz")[1])["worker"] != "alive":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    _, public = service.fetch(f"{service.base}/metrics", Authorization=f"Bearer {METRICS_KEY}")
    _, own = service.fetch(f"http://127.0.0.1:{metrics_port}/metrics")
    for read in (public, own):
        assert 'preferences_one_click_total{result="invalid_token"} 3.0' in read.splitlines()
        assert "preferences_workers_alive 1.0" in read.splitlines()


def _worker_below(process: subprocess.Popen[str]) -> int:
    for pid in children(process):
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"\0worker\0" in command.read_bytes():
            return pid
    return 0
