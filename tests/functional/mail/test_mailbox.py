"""The local mailbox page: in development, on this machine, and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from preferences.integrations.mailbox import Mailbox, MailboxId
from preferences.integrations.transport import mail, mailbox_of
from preferences.models.crypto import Keyring, use_keyring
from tests.conftest import KEY, settings_environment
from tests.support.client import StrictClient
from tests.support.mailing import plain_message

LOCAL = "http://127.0.0.1:8080"


def service(folder: Path, **more: str) -> Flask:
    """A service of its own, without a database behind it."""
    environment = settings_environment(f"sqlite:///{folder / 'local.db'}", **more)
    app = create_app({key: value for key, value in environment.items() if value}, instance_path=folder)
    app.test_client_class = StrictClient
    return app


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Flask]:
    """A development service with its local mailbox."""
    app = service(tmp_path, ENV="development", BASE_URL=LOCAL)
    with app.app_context():
        yield app


@pytest.fixture
def box(local: Flask) -> Mailbox:
    """Its mailbox."""
    return mailbox_of(local.extensions["preferences.settings"])


def get(app: Flask, path: str, **options: str) -> tuple[int, str, dict[str, str]]:
    answer = app.test_client(use_cookies=False).get(
        path,
        base_url=options.get("base_url", LOCAL),
        environ_base={"REMOTE_ADDR": options.get("remote", "127.0.0.1")},
    )
    return answer.status_code, answer.get_data(as_text=True), dict(answer.headers)


def test_what_was_sent_is_listed_newest_first(local: Flask, box: Mailbox) -> None:
    mail.send(plain_message("anna@example.se"))
    mail.send(plain_message("bo@example.se"))
    status, page, _ = get(local, "/mailbox")
    assert status == 200
    assert page.index("bo@example.se") < page.index("anna@example.se")
    assert all(f"/mailbox/{one.id}" in page for one in box.newest())


def test_an_empty_mailbox_says_so(local: Flask) -> None:
    assert "Inga mejl än." in get(local, "/mailbox?lang=sv")[1]


def test_a_message_shows_headers_text_and_a_frame_that_runs_nothing(local: Flask, box: Mailbox) -> None:
    mail.send(plain_message(headers={"Auto-Submitted": "auto-generated"}))
    (one,) = box.newest()
    status, page, headers = get(local, f"/mailbox/{one.id}")
    assert status == 200
    assert "Auto-Submitted: auto-generated" in page
    assert "Hej å" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "frame-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]


def test_links_in_the_text_can_be_followed(local: Flask, box: Mailbox) -> None:
    message_id = box.deliver(b"Subject: Hej\r\n\r\nSe http://127.0.0.1:8080/p/abc.def_-1 nu\r\n")
    assert '<a href="http://127.0.0.1:8080/p/abc.def_-1"' in get(local, f"/mailbox/{message_id}")[1]


def test_the_html_part_is_shown_under_a_policy_of_its_own(local: Flask, box: Mailbox) -> None:
    html = "<!doctype html><html><head><title>x</title></head><body><script>alert(1)</script></body></html>"
    message_id = _deliver_html(box, html)
    status, page, headers = get(local, f"/mailbox/{message_id}/html")
    assert status == 200
    assert '<base target="_blank">' in page
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "frame-ancestors 'self'" in policy


def test_hostile_headers_and_text_stay_text(local: Flask, box: Mailbox) -> None:
    message_id = box.deliver(
        b'Subject: <script>alert(1)</script>\r\nTo: "><img src=x> <a@b.se>\r\n'
        b"List-Unsubscribe: <javascript:alert(1)>\r\n\r\n<script>alert(2)</script> javascript:alert(3)\r\n"
    )
    page = get(local, f"/mailbox/{message_id}")[1] + get(local, "/mailbox")[1]
    assert "<script" not in page
    assert "<img src=x" not in page
    assert 'href="javascript' not in page
    assert "<form" not in page


@pytest.mark.parametrize(
    "raw",
    [b"", b"\r\n\r\n", b"\xff\xfe\x00", b"Content-Type: multipart/alternative\r\n\r\n--x", b"Date: yesterday\r\n\r\nx"],
)
def test_a_broken_message_is_shown_as_far_as_it_goes(local: Flask, box: Mailbox, raw: bytes) -> None:
    message_id = box.deliver(raw)
    assert get(local, f"/mailbox/{message_id}")[0] == 200
    assert get(local, "/mailbox")[0] == 200


def test_one_click_can_be_pressed_where_it_leads_here(local: Flask, box: Mailbox) -> None:
    here = box.deliver(f"List-Unsubscribe: <{LOCAL}/u/abc>, <mailto:x@y.se>\r\n\r\nx".encode())
    elsewhere = box.deliver(b"List-Unsubscribe: <https://evil.example/u/abc>\r\n\r\nx")
    page = get(local, f"/mailbox/{here}")[1]
    assert re.search(r'<form method="post" action="/u/abc">', page)
    assert 'name="List-Unsubscribe" value="One-Click"' in page
    assert "<form" not in get(local, f"/mailbox/{elsewhere}")[1]


def test_the_raw_message_is_given_as_text(local: Flask, box: Mailbox) -> None:
    message_id = box.deliver(b"Subject: <script>\r\n\r\nx\r\n")
    status, page, headers = get(local, f"/mailbox/{message_id}/raw")
    assert (status, page) == (200, "Subject: <script>\r\n\r\nx\r\n")
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/mailbox/x", "/mailbox/..%2fkeys.json", "/mailbox/20250101T000000000000-00000000/html"]
)
def test_what_is_not_there_is_not_found(local: Flask, path: str) -> None:
    assert get(local, path)[0] == 404


@pytest.mark.parametrize("remote", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "", "fe80::1"])
def test_nobody_over_the_network_sees_the_mailbox(local: Flask, remote: str) -> None:
    assert get(local, "/mailbox", remote=remote)[0] == 404


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"])
def test_this_machine_sees_the_mailbox_under_each_of_its_addresses(local: Flask, remote: str) -> None:
    assert get(local, "/mailbox", remote=remote)[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 404),
        ("127.0.0.1.evil.example", 404),
    ],
)
def test_a_name_made_to_point_here_finds_nothing(local: Flask, host: str, status: int) -> None:
    assert get(local, "/mailbox", base_url=f"http://{host}")[0] == status


def production(folder: Path) -> Flask:
    """A service as it would run for a company."""
    names = ("SECRET_KEYS", "LINK_KEYS", "DATA_KEYS", "INDEX_KEY", "SEAL_KEYS")
    return service(
        folder,
        ENV="production",
        MAIL_TRANSPORT="smtp",
        MAIL_SERVER="smtp.kundbolaget.se",
        MAIL_FROM="no-reply@kundbolaget.se",
        ORGANISATION_NAME="Kundbolaget AB",
        ORGANISATION_EMAIL="privacy@kundbolaget.se",
        BASE_URL="https://preferences.kundbolaget.se",
        **{name: base64.b64encode(hashlib.sha256(name.encode()).digest()).decode() for name in names},
    )


@pytest.fixture
def keys_restored() -> Iterator[None]:
    """A production service has keys of its own; the other tests of this process need theirs back."""
    before = Keyring(*_test_keys())
    yield
    use_keyring(before)


def _test_keys() -> tuple[list[bytes], bytes]:
    return [base64.b64decode("3" + KEY[1:])], base64.b64decode("4" + KEY[1:])


@pytest.mark.parametrize(
    "make",
    [
        production,
        lambda folder: service(folder, ENV="testing"),
        lambda folder: service(folder, ENV="development", BASE_URL=LOCAL, MAIL_TRANSPORT="smtp"),
    ],
)
def test_the_mailbox_exists_only_in_development_with_the_mailbox_transport(
    tmp_path: Path, keys_restored: None, make: Callable[[Path], Flask]
) -> None:
    app = make(tmp_path)
    (tmp_path / "mailbox").mkdir()
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/mailbox")]
    assert get(app, "/mailbox")[0] == 404


def _deliver_html(box: Mailbox, html: str) -> MailboxId:
    return box.deliver(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())
