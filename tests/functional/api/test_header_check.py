"""`POST /header-check`: a raw message in, findings out; nothing stored, nothing repeated."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.orm import Session

from preferences.domain.request_shapes import Shape
from preferences.domain.scopes import Scope
from tests.factories import link, make_key, make_recipient, purpose
from tests.functional.api.support import Api, Reply
from tests.support.client import StrictClient
from tests.support.raw_mail import HTTPS, POST, UNSUBSCRIBE, alternative, raw_mail, signature
from tests.support.visits import entries


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.HEADER_CHECK), session)


def send(api: Api, raw: bytes, **headers: str) -> Reply:
    return api.call("POST", "/header-check", raw, Content_Type="message/rfc822", **headers)


def codes(reply: Reply) -> list[str]:
    return [one["code"] for one in reply.json["findings"]]


def test_a_good_message_is_sound(api: Api) -> None:
    reply = send(api, raw_mail())
    assert (reply.json["sound"], codes(reply)) == (True, ["dkim_signature_not_checked"])


def test_json_and_bytes_are_judged_alike(api: Api) -> None:
    raw = raw_mail(UNSUBSCRIBE.replace(b">,", b">,\r\n"), POST)
    assert api.post("/header-check", {"message": raw.decode()}).json == send(api, raw).json


def test_bytes_that_are_no_text_are_judged(api: Api) -> None:
    body = alternative(text="Hej på dig ".encode("latin-1") + HTTPS)
    assert codes(send(api, raw_mail(body=body))) == ["dkim_signature_not_checked"]
    assert codes(send(api, b"\x00\xff" * 1000)) == ["headers_missing"]


def test_findings_are_said_in_english_whatever_the_browser_speaks(api: Api) -> None:
    found = send(api, raw_mail(POST), Accept_Language="sv").json["findings"]
    assert found[0] == {
        "code": "unsubscribe_missing",
        "severity": "error",
        "about": None,
        "sentence": "There is no List-Unsubscribe. Set it as POST /links gives it.",
    }


def test_the_domain_of_a_signature_is_named_and_no_address_is_repeated(api: Api) -> None:
    reply = send(api, raw_mail(signed=(signature(alternative(), b"from"),)))
    assert {one["about"] for one in reply.json["findings"] if one["severity"] == "error"} == {"example.com"}
    assert "anna@example.se" not in json.dumps(reply.json)
    assert HTTPS.decode() not in json.dumps(reply.json)


def test_an_oversized_message_is_told_or_refused(api: Api) -> None:
    assert "message_too_large" in codes(send(api, raw_mail(body=b"x" * 11_000_000)))
    assert send(api, raw_mail(body=b"x" * 17_000_000)).problem(413)["code"] == "too_large"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "message/rfc822; charset=utf-16"]
)
def test_other_content_types_are_refused(api: Api, content_type: str) -> None:
    reply = api.call("POST", "/header-check", raw_mail(), Content_Type=content_type)
    assert reply.problem(415)["code"] == "unsupported_media_type"
    assert "message/rfc822" in reply.headers["Accept"]


def test_message_rfc822_is_for_this_call_alone(client: StrictClient, session: Session) -> None:
    reply = Api(client, make_key(session), session).call("POST", "/links", b"", Content_Type="message/rfc822")
    assert reply.problem(415)["code"] == "unsupported_media_type"


def test_the_specification_tells_of_both_ways_to_send(client: StrictClient) -> None:
    document = json.loads(client.get("/api/v1/openapi.json").get_data())
    content = document["paths"]["/header-check"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "message/rfc822"}
    assert document["components"]["schemas"]["MessageToCheck"]["properties"]["message"]["anyOf"][0]["type"] == "string"


def test_the_messages_own_link_is_tried_when_it_is_ours(api: Api, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    raw = raw_mail(UNSUBSCRIBE.replace(HTTPS, f"https://preferences.example/u/{token}".encode()), POST)
    found = send(api, raw).json
    assert (found["sound"], found["link"]["state"]) == (True, "stops")
    assert [one["verdict"] for one in found["link"]["requests"]] == ["right"] * len(Shape)
    assert entries(session) == []
    assert send(api, raw_mail()).json["link"] is None


def test_a_link_alone_is_tried(api: Api, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    found = api.post("/header-check", {"url": f"https://preferences.example/u/{token}"}).json
    assert (found["sound"], found["findings"]) == (True, [])
    assert found["link"]["requests"][1] == {
        "shape": "head",
        "status": 200,
        "redirects": False,
        "changed": False,
        "verdict": "right",
        "sentence": "Looked at without its content (HEAD): as it must be",
    }
    assert api.post("/header-check", {"url": "https://preferences.example/u/x"}).json["sound"] is False


def test_an_address_elsewhere_is_refused(api: Api) -> None:
    problem = api.post("/header-check", {"url": "http://127.0.0.1:5432/u/x"}).problem(422)
    assert (problem["code"], problem["pointer"]) == ("not_our_link", "/url")
