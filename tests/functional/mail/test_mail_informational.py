"""Informational mail: eligibility first, the link in both bodies, headers that work."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import Reason, RecipientStatus
from preferences.domain.errors import InvalidValue, UnknownPurpose
from preferences.domain.mailing import MailPermit, MailRefused
from preferences.integrations.mail import MailMessage
from preferences.integrations.mail_types import Rendered
from preferences.integrations.messages import (
    NoLink,
    PermitExpired,
    check_shows_link,
    informational_message,
)
from preferences.services.eligibility.informational_mail import Mailing, permit_mail
from preferences.worker.mail_jobs import mail_links
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.mailing import settings_changed

CONTENT = {
    "title": "Nyheter i december",
    "opening": "Här är nytt.",
    "sections": [{"heading": "A & B", "text": "<b>Ö</b>"}],
}


def permit(app: Flask, session: Session, recipient_id: Any, now: datetime, purpose: str = "product_news") -> MailPermit:
    settings = app.extensions["preferences.settings"]
    mailing = Mailing(purpose, settings.default_locale)
    return permit_mail(session, recipient_id, mailing, links=mail_links(settings), now=now)


def message(app: Flask, permit: MailPermit, now: datetime, template: str = "newsletter") -> MailMessage:
    return informational_message(permit, template, CONTENT, settings=app.extensions["preferences.settings"], now=now)


def headers(made: MailMessage) -> dict[str, str]:
    return made.extra_headers or {}


def test_m8_both_bodies_show_the_persons_links(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session, name="Anna Ek", locale="sv")
    act(session, anna, "product_news")
    allowed = permit(app, session, anna.id, now)
    made = message(app, allowed, now)
    for body in (made.body, made.html):
        assert body is not None
        assert allowed.unsubscribe_url in body
        assert allowed.preferences_url in body
    assert "Avregistrera mig" in (made.html or "")
    assert "Exempelbolaget AB" in (made.body or "")


def test_m1_the_header_link_works_for_a_mail_clients_post(
    app: Flask, session: Session, client: StrictClient, now: datetime
) -> None:
    anna = make_recipient(session)
    act(session, anna, "product_news")
    made = message(app, permit(app, session, anna.id, now), now)
    session.rollback()
    url = headers(made)["List-Unsubscribe"].partition(">")[0].removeprefix("<")
    assert headers(made)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers(made)["List-Id"] == "<product_news.preferences.example>"
    answer = client.post(url.removeprefix("https://preferences.example"), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    session.rollback()
    with pytest.raises(MailRefused) as caught:
        permit(app, session, anna.id, now + timedelta(seconds=1))
    assert caught.value.refusal.reason is Reason.WITHDRAWN


def test_m10_the_mailto_stands_second_where_a_gateway_reads_mail(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    with settings_changed(app, unsubscribe_mail_domain="mail.example", list_domain="lists.example"):
        made = message(app, permit(app, session, anna.id, now, "events"), now)
    assert re.fullmatch(
        r"<https://preferences\.example/u/[\w.-]{51}>, <mailto:unsubscribe\+[a-z2-7]{50}@mail\.example>",
        headers(made)["List-Unsubscribe"],
    )
    assert headers(made)["List-Id"] == "<events.lists.example>"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({}, Reason.NO_BASIS),
        ({"act": Act.WITHDRAWN}, Reason.WITHDRAWN),
        ({"act": Act.REFUSED}, Reason.REFUSED),
        ({"status": RecipientStatus.RESTRICTED}, Reason.RESTRICTED),
    ],
)
def test_t24_a_message_is_refused_with_the_reason(
    app: Flask, session: Session, now: datetime, state: dict[str, Any], reason: Reason
) -> None:
    fields = {"status": state["status"]} if "status" in state else {}
    anna = make_recipient(session, **fields)
    if "act" in state:
        act(session, anna, "product_news", state["act"])
    with pytest.raises(MailRefused) as caught:
        permit(app, session, anna.id, now)
    assert caught.value.refusal.reason is reason


def test_an_unknown_recipient_an_unknown_purpose_and_photos_are_refused(
    app: Flask, session: Session, now: datetime
) -> None:
    anna = make_recipient(session)
    with pytest.raises(MailRefused) as caught:
        permit(app, session, 4711, now)
    assert caught.value.refusal.reason is Reason.UNKNOWN_RECIPIENT
    with pytest.raises(UnknownPurpose):
        permit(app, session, anna.id, now, "nonsense")
    with pytest.raises(InvalidValue):
        permit(app, session, anna.id, now, "photos")


def test_t24_an_old_permit_makes_no_message(app: Flask, session: Session, now: datetime) -> None:
    allowed = permit(app, session, make_recipient(session).id, now, "events")
    with pytest.raises(PermitExpired):
        message(app, allowed, now + timedelta(hours=1))


def test_a_template_without_the_link_makes_no_message(app: Flask, session: Session, now: datetime) -> None:
    allowed = permit(app, session, make_recipient(session).id, now, "events")
    with pytest.raises(NoLink):
        informational_message(
            allowed,
            "fresh_link",
            {"link": "https://elsewhere.example/"},
            settings=app.extensions["preferences.settings"],
            now=now,
        )


URL = "https://preferences.example/u/token"


@pytest.mark.parametrize(
    "html",
    [
        "<p>nothing</p>",
        f"<!-- <a href='{URL}'>stop</a> -->",
        f"<a href='{URL}'></a>",
        f"<a href='{URL}'> &nbsp;</a>",
        f"<a href='{URL}x'>stop</a>",
        f"<p style='display: none'><a href='{URL}'>stop</a></p>",
        f"<div hidden><p>x</p><a href='{URL}'>stop</a></div>",
        f"<a href='{URL}' style='font-size:0'>stop</a>",
        f"<head><title><a href='{URL}'>stop</a></title></head>",
        f"<p>{URL}</p>",
    ],
)
def test_m8_a_link_that_nobody_sees_is_no_link(html: str) -> None:
    with pytest.raises(NoLink, match="HTML"):
        check_shows_link(Rendered("s", f"Stop: {URL}\n", html), frozenset({URL}))


@pytest.mark.parametrize("text", ["", "nothing", f"{URL}x", f"({URL})"])
def test_m8_a_link_that_cannot_be_followed_from_the_text_is_no_link(text: str) -> None:
    with pytest.raises(NoLink, match="text"):
        check_shows_link(Rendered("s", text, f"<a href='{URL}'>stop</a>"), frozenset({URL}))


def test_a_link_among_hidden_neighbours_is_seen() -> None:
    html = f"<p style='display:none'>preheader<br></p><p>x<img src='a'><a href='{URL}'><b>stop</b></a>"
    check_shows_link(Rendered("s", f"\n{URL}\n", html), frozenset({URL}))


def test_content_cannot_inject_html_and_text_stays_as_written(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session, name="<script>alert(1)</script>")
    made = message(app, permit(app, session, anna.id, now, "events"), now)
    assert "<script>" not in (made.html or "")
    assert "&lt;b&gt;Ö&lt;/b&gt;" in (made.html or "")
    assert "<b>Ö</b>" in (made.body or "")
    assert "A & B" in (made.body or "")


@pytest.mark.parametrize(
    ("locale", "words"), [("sv", "Avregistrera mig"), ("en", "Unsubscribe"), ("xx", "Avregistrera mig")]
)
def test_the_mail_speaks_the_recipients_language(
    app: Flask, session: Session, now: datetime, locale: str, words: str
) -> None:
    anna = make_recipient(session, locale=locale)
    made = message(app, permit(app, session, anna.id, now, "events"), now)
    assert words in (made.html or "")
    assert words in (made.body or "")


def test_the_postal_address_stands_at_the_foot(app: Flask, session: Session, now: datetime) -> None:
    allowed = permit(app, session, make_recipient(session).id, now, "events")
    with settings_changed(app, organisation_address="Storgatan 1, 111 11 Stockholm"):
        made = message(app, allowed, now)
    assert "Storgatan 1, 111 11 Stockholm" in (made.html or "")
    assert "Storgatan 1, 111 11 Stockholm" in (made.body or "")


def test_styles_are_inlined_and_nothing_is_loaded_from_elsewhere(app: Flask, session: Session, now: datetime) -> None:
    html = message(app, permit(app, session, make_recipient(session).id, now, "events"), now).html or ""
    assert 'style="' in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<(img|link|script|iframe)|url\(|@import", html)
