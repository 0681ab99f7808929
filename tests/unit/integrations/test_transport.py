"""Messages handed over to real SMTP servers, good and bad ones; what arrives is read from the raw bytes."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask

from preferences.config import MailSecurity
from preferences.integrations.list_headers import list_headers
from preferences.integrations.transport import MailNotSent, Retry, mail
from tests.support.mailing import plain_message, received, sending_to
from tests.support.smtp import Kept, broken_server, self_signed, smtp_server

LISTED = list_headers(
    unsubscribe_url="https://preferences.example/u/" + "a1-_" * 40,
    mailto="unsubscribe+" + "a2" * 25 + "@mail.example",
    list_id="marketing.preferences.example",
)


def test_t8_t9_list_headers_arrive_unencoded_and_unfolded(bare_app: Flask) -> None:
    with smtp_server() as (port, kept), sending_to(bare_app, port):
        mail.send(plain_message(headers=LISTED))
    (raw,) = kept.messages
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    for name, value in LISTED.items():
        assert lines.count(f"{name}: {value}".encode()) == 1
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_names_and_subjects_arrive_as_written(bare_app: Flask) -> None:
    with smtp_server() as (port, kept), sending_to(bare_app, port):
        mail.send(plain_message())
    found = message_from_bytes(kept.messages[0], policy=policy.default)
    assert found["Subject"] == "Hej på dig"
    assert found["To"].addresses[0].display_name == "Åsa Öberg"
    assert (kept.senders, kept.recipients) == (["no-reply@example.com"], [["anna@example.se"]])


def test_an_address_beyond_ascii_goes_out_as_smtputf8(bare_app: Flask) -> None:
    with smtp_server() as (port, kept), sending_to(bare_app, port):
        mail.send(plain_message("åsa@example.se"))
    assert kept.recipients == [["åsa@example.se"]]
    assert "SMTPUTF8" in kept.options[0]


def test_a_server_without_smtputf8_refuses_such_an_address_for_good(bare_app: Flask) -> None:
    with smtp_server(enable_SMTPUTF8=False) as (port, kept), sending_to(bare_app, port):
        _fails("not supported by the server", Retry.NEVER, to="åsa@example.se")
    assert kept.messages == []


def test_starttls_with_a_self_signed_certificate_is_refused(bare_app: Flask, tmp_path: Path) -> None:
    context = self_signed(tmp_path)
    with smtp_server(tls=context) as (port, kept), sending_to(bare_app, port, security=MailSecurity.STARTTLS):
        _fails("connecting: certificate not trusted", Retry.LATER)
    assert kept.messages == []


def test_starttls_with_a_trusted_certificate_goes_through(
    bare_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with smtp_server(tls=context) as (port, kept), sending_to(bare_app, port, security=MailSecurity.STARTTLS):
        mail.send(plain_message())
    assert len(kept.messages) == 1


def test_a_certificate_for_another_name_is_refused(
    bare_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = self_signed(tmp_path, "192.0.2.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with smtp_server(tls=context) as (port, kept), sending_to(bare_app, port, security=MailSecurity.STARTTLS):
        _fails("connecting: certificate not trusted", Retry.LATER)
    assert kept.messages == []


def test_a_server_without_starttls_gets_nothing_in_the_clear(bare_app: Flask) -> None:
    with smtp_server() as (port, kept), sending_to(bare_app, port, security=MailSecurity.STARTTLS):
        _fails("connecting: not supported by the server", Retry.LATER)
    assert kept.messages == []


@pytest.mark.parametrize(
    ("replies", "code", "retry"),
    [
        ({"RCPT": "550 5.1.1 <ADDRESS> is unknown here"}, "refused 550 5.1.1", Retry.NEVER),
        ({"RCPT": "451 4.7.1 greylisted, try again"}, "refused 451 4.7.1", Retry.LATER),
        ({"DATA": "554 5.7.1 looks like spam"}, "refused 554 5.7.1", Retry.NEVER),
        ({"DATA": "452 disk full"}, "refused 452", Retry.LATER),
        ({"MAIL": "553 5.7.1 sender not allowed"}, "refused 553 5.7.1", Retry.LATER),
    ],
)
def test_a_refusal_is_told_by_its_code_without_the_servers_words(
    bare_app: Flask, replies: dict[str, str], code: str, retry: Retry
) -> None:
    kept = Kept(replies=replies)
    with smtp_server(kept) as (port, _), sending_to(bare_app, port):
        _fails(code, retry)


def test_nobody_listening_is_worth_another_try(bare_app: Flask) -> None:
    with smtp_server() as (port, _):
        pass
    with sending_to(bare_app, port):
        _fails("connecting: ConnectionRefusedError", Retry.LATER)


@pytest.mark.parametrize("at", ["greeting", "EHLO", "RCPT", "DATA", "."])
def test_a_server_that_hangs_costs_no_more_than_the_timeout(bare_app: Flask, at: str) -> None:
    with broken_server(at, hang=True) as port, sending_to(bare_app, port, timeout=1):
        started = time.monotonic()
        _fails("timeout", Retry.LATER)
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("at", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_server_that_dies_midway_is_worth_another_try(bare_app: Flask, at: str) -> None:
    with broken_server(at, hang=False) as port, sending_to(bare_app, port):
        _fails("the server hung up", Retry.LATER)


@pytest.mark.parametrize("hang", [False, True])
def test_a_server_that_fails_after_accepting_has_accepted(bare_app: Flask, hang: bool) -> None:
    with broken_server("QUIT", hang=hang) as port, sending_to(bare_app, port, timeout=1):
        mail.send(plain_message())


def test_a_conversation_is_reused_and_begun_anew_after_a_failure(bare_app: Flask) -> None:
    kept = Kept()
    with smtp_server(kept) as (port, _), sending_to(bare_app, port), mail.connect() as connection:
        connection.send(plain_message())
        connection.send(plain_message())
        kept.replies["RCPT"] = "450 later"
        with pytest.raises(MailNotSent):
            connection.send(plain_message())
        del kept.replies["RCPT"]
        connection.send(plain_message())
    assert len(kept.messages) == 3


def test_the_mailbox_gets_what_a_server_would_get(bare_app: Flask) -> None:
    mail.send(plain_message(headers=LISTED))
    kept = received(bare_app)[-1]
    assert f"List-Unsubscribe: {LISTED['List-Unsubscribe']}" in kept.header_block.split("\n")
    assert kept.part("plain") == "Hej å\n"
    assert "Åsa" not in repr(kept)
    assert "anna" not in repr(kept)


def _fails(code: str, retry: Retry, *, to: str = "anna@example.se") -> None:
    with pytest.raises(MailNotSent) as caught:
        mail.send(plain_message(to))
    found = caught.value
    assert found.code.removeprefix("connecting: ") == code.removeprefix("connecting: ")
    assert found.retry is retry
    assert "@" not in str(found)
