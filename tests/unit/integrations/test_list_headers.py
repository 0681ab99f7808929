"""List-Unsubscribe, List-Unsubscribe-Post and List-Id: exactly what RFC 8058, 2369 and 2919 ask (M1, M5, M10)."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.config import Environment
from preferences.integrations.list_headers import UnusableListHeader, list_headers, list_id_of

URL = "https://preferences.example/u/" + "a" * 28 + "." + "B-_" * 7 + "c"
MAILTO = "unsubscribe+" + "a2" * 25 + "@mail.example"
LIST_ID = "product_news.preferences.example"


def test_https_comes_first_then_mailto_each_in_angle_brackets() -> None:
    assert list_headers(unsubscribe_url=URL, mailto=MAILTO, list_id=LIST_ID) == {
        "List-Unsubscribe": f"<{URL}>, <mailto:{MAILTO}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{LIST_ID}>",
    }


def test_without_a_gateway_there_is_no_mailto() -> None:
    assert list_headers(unsubscribe_url=URL, mailto=None, list_id=LIST_ID)["List-Unsubscribe"] == f"<{URL}>"


def test_list_id_names_the_purpose_under_the_domain() -> None:
    assert list_id_of("product_news", "Preferences.Example") == LIST_ID


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://preferences.example/u/token",
        "ftp://preferences.example/u/token",
        "mailto:unsubscribe@example.com",
        "javascript:alert(1)",
        "/u/token",
        "https:///u/token",
        "https://user@preferences.example/u/token",
        "https://preferences.example/u/a,b",
        "https://preferences.example/u/a b",
        "https://preferences.example/u/token ",
        "https://preferences.example/u/token\n",
        "https://preferences.example/u/token\r\nBcc: everyone@example.com",
        "https://preferences.example/u/a>b",
        "https://preferences.example/u/tökén",
        "https://exempel.företag.se/u/token",
        "https://preferences.example/u/" + "\x00",
        "https://preferences.example/u/" + "a" * 990,
    ],
)
def test_an_address_that_a_client_would_ignore_or_misread_is_refused(url: str) -> None:
    with pytest.raises(UnusableListHeader):
        list_headers(unsubscribe_url=url, mailto=None, list_id=LIST_ID)


def test_http_is_for_development_only() -> None:
    url = "http://127.0.0.1:8080/u/token"
    made = list_headers(unsubscribe_url=url, mailto=None, list_id=LIST_ID, env=Environment.DEVELOPMENT)
    assert made["List-Unsubscribe"] == f"<{url}>"
    for env in (Environment.PRODUCTION, Environment.TESTING):
        with pytest.raises(UnusableListHeader, match="https"):
            list_headers(unsubscribe_url=url, mailto=None, list_id=LIST_ID, env=env)


@pytest.mark.parametrize(
    "mailto",
    [
        "",
        "mailto:unsubscribe@example.com",
        "unsubscribe@example.com?subject=stop",
        "Unsubscribe+TOKEN@example.com",
        "unsubscribe,x@example.com",
        "unsubscribe@example.com, other@example.com",
        "unsubscribe@exämple.com",
        "unsubscribe@example.com\n",
        "a" * 64 + "@example.com",
    ],
)
def test_a_mailto_that_would_not_arrive_is_refused(mailto: str) -> None:
    with pytest.raises(UnusableListHeader):
        list_headers(unsubscribe_url=URL, mailto=mailto, list_id=LIST_ID)


@pytest.mark.parametrize("list_id", ["", "news", "news letter.example", "nyhéter.example", "a.b>", "a.b\n", "<a.b>"])
def test_a_malformed_list_id_is_refused(list_id: str) -> None:
    with pytest.raises(UnusableListHeader):
        list_headers(unsubscribe_url=URL, mailto=None, list_id=list_id)


def test_mailto_of_the_longest_token_fits() -> None:
    assert len(MAILTO.partition("@")[0]) == 62
    assert MAILTO in list_headers(unsubscribe_url=URL, mailto=MAILTO, list_id=LIST_ID)["List-Unsubscribe"]


@given(path=st.text(max_size=1100), mailto=st.none() | st.text(max_size=80), list_id=st.text(max_size=80))
def test_whatever_is_accepted_survives_the_wire_unchanged(path: str, mailto: str | None, list_id: str) -> None:
    """T8, T9: no RFC 2047 encoding, no folding, and nothing injected, with the policy that mail is made with."""
    try:
        made = list_headers(unsubscribe_url="https://preferences.example/" + path, mailto=mailto, list_id=list_id)
    except UnusableListHeader:
        return
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
    for name, value in made.items():
        message[name] = value
    raw = message.as_bytes()
    assert raw.count(b"\r\n") == 4
    assert b"=?" not in raw.replace(path.encode(), b"")
    read = message_from_bytes(raw, policy=policy.compat32)
    assert {name: read[name] for name in made} == made
