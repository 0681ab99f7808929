"""Hands messages over: to an SMTP server with a timeout and verified TLS, or to the local mailbox.

Flask-Mail accepts any certificate after STARTTLS and waits for ever (stack.md); its connection is replaced where it does.
A failure says whether it is worth another try, in a short code that never holds an address or the server's words.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self, cast

from flask import Flask, current_app
from flask_mail import Connection, Mail, Message, email_dispatched

from preferences.config import MailSecurity, MailTransport, Settings

from .mail import MailMessage
from .mailbox import Mailbox

_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})\b")


class Retry(StrEnum):
    """Whether sending the same message again can help."""

    LATER = "later"
    NEVER = "never"


class MailNotSent(Exception):
    """The message was not accepted. `code` is for outcomes and logs: `refused 550 5.1.1`, `timeout` …"""

    def __init__(self, code: str, retry: Retry) -> None:
        super().__init__(code)
        self.code = code
        self.retry = retry


class ServiceMail(Mail):
    """Flask-Mail with connections of our own; bound to an application by `register_mail`."""

    def connect(self) -> LateConnection:
        """The transport that the settings name; connects when the first message is sent."""
        configured = cast(Settings, current_app.extensions["preferences.settings"])
        if configured.mail_transport is MailTransport.MAILBOX:
            return MailboxConnection(current_app.extensions["mail"], mailbox_of(configured))
        return SmtpConnection(current_app.extensions["mail"], configured)


mail = ServiceMail()


def register_mail(app: Flask, settings: Settings) -> None:
    """Bind Flask-Mail. What it must not do by itself (suppressing in tests, TLS, timeouts) is decided here."""
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username or None,
        MAIL_PASSWORD=settings.mail_password or None,
        MAIL_USE_TLS=settings.mail_security is MailSecurity.STARTTLS,
        MAIL_USE_SSL=settings.mail_security is MailSecurity.TLS,
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_SUPPRESS_SEND=False,
        MAIL_DEBUG=0,
    )
    mail.init_app(app)


def mailbox_of(settings: Settings) -> Mailbox:
    """The local mailbox of this installation."""
    return Mailbox(settings.instance_path / "mailbox")


class LateConnection(Connection):
    """A connection that is made with the first message; leaving the block ends it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """End the conversation, if there is one."""


class MailboxConnection(LateConnection):
    """Writes messages into the local mailbox."""

    def __init__(self, state: Mail, mailbox: Mailbox) -> None:
        super().__init__(state)
        self.mailbox = mailbox

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        """Store the message."""
        self.mailbox.deliver(message.as_bytes())
        email_dispatched.send(current_app._get_current_object(), message=message)  # type: ignore[attr-defined]


class SmtpConnection(LateConnection):
    """One conversation with the SMTP server, begun with the first message and begun anew when it broke."""

    def __init__(self, state: Mail, settings: Settings) -> None:
        super().__init__(state)
        self.settings = settings
        self.host: smtplib.SMTP | None = None

    def hang_up(self) -> None:
        """Say goodbye. A server that does not answer that any more has still accepted what it accepted."""
        host, self.host = self.host, None
        if host is not None:
            with suppress(smtplib.SMTPException, OSError):
                host.quit()
            host.close()

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt with a verified certificate, sign in. Raises what smtplib raises."""
        s = self.settings
        context = ssl.create_default_context()
        own_name = s.base_host if not re.fullmatch(r"[\d.]+|.*:.*", s.base_host) else "localhost"
        host: smtplib.SMTP
        if s.mail_security is MailSecurity.TLS:
            host = smtplib.SMTP_SSL(s.mail_server, s.mail_port, own_name, timeout=s.mail_timeout, context=context)
        else:
            host = smtplib.SMTP(s.mail_server, s.mail_port, own_name, timeout=s.mail_timeout)
        try:
            if s.mail_security is MailSecurity.STARTTLS:
                host.starttls(context=context)
            if s.mail_username and s.mail_password:
                host.login(s.mail_username, s.mail_password)
        except BaseException:
            host.close()
            raise
        return host

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        """Hand one MailMessage over. Raises MailNotSent; returning means that the server has accepted it."""
        assert isinstance(message, MailMessage)  # noqa: S101 - nothing else is made in this project
        try:
            host = self.host = self.host or self.configure_host()
        except (smtplib.SMTPException, OSError) as error:
            self.hang_up()
            raise MailNotSent(f"connecting: {describe(error)}", Retry.LATER) from error
        try:
            host.sendmail(message.from_.addr_spec, [message.to.addr_spec], message.as_bytes(), message.mail_options)
        except (smtplib.SMTPException, OSError) as error:
            self.hang_up()
            raise MailNotSent(describe(error), worth_retrying(error)) from error
        email_dispatched.send(current_app._get_current_object(), message=message)  # type: ignore[attr-defined]


def worth_retrying(error: Exception) -> Retry:
    """A 5xx about this recipient or this message is final; all else (4xx, a lost line, a refused sender) may pass."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Retry.NEVER
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) and _reply(error)[0] >= 500:
        return Retry.NEVER
    return Retry.LATER


def describe(error: Exception) -> str:
    """A short code without the server's words: those quote addresses."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "not supported by the server"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "timeout"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server hung up"
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException):
        code, text = _reply(error)
        enhanced = _ENHANCED.match(text)
        return f"refused {code}" + (f" {enhanced[1].decode()}" if enhanced else "")
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate not trusted"
    return type(error).__name__


def _reply(error: Exception) -> tuple[int, bytes]:
    code: int = 0
    text: bytes | str = b""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    return code, text if isinstance(text, bytes) else text.encode()
