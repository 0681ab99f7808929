"""Steps with passkeys, as a browser takes them."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from .authenticator import Authenticator
from .client import StrictClient
from .staff import (
    PASSWORD,
    StaffBrowser,
    browser,
    signed_in,
    token_on,
)

CODE = "/admin/sign-in/code"
FORM = "/admin/sign-in"


ALONE = "/admin/sign-in/passkey"
SECOND = "/admin/sign-in/code/passkey"
ENROL = "/admin/enrol/passkey"
CONFIRM = "/admin/confirm/passkey"
NEW = "/admin/account/passkeys/new"
OPTIONS = "/admin/account/passkeys/options"


def options(client: StrictClient | StaffBrowser, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = json.loads(answer.text)
    return found


def add(stina: StaffBrowser, key: Authenticator, name: str = "Telefon") -> TestResponse:
    return stina.post(NEW, {"name": name, "answer": key.make(options(stina, OPTIONS))})


def with_passkey(app: Flask, session: Session, **more: Any) -> tuple[StaffBrowser, Authenticator]:
    """Somebody with an app and a passkey."""
    stina, key = signed_in(app, session), Authenticator(**more)
    assert add(stina, key).location == "/admin/account?done=passkey"
    return stina, key


def answer_alone(client: StrictClient, answer: str, **more: Any) -> TestResponse:
    return client.post(ALONE, data={"csrf": token_on(client.get(FORM)), "answer": answer, **more})


def sign_in_alone(app: Flask, key: Authenticator, **more: Any) -> TestResponse:
    client = browser(app)
    client.get(FORM)
    return answer_alone(client, key.use(options(client, ALONE)), **more)


def half_way(app: Flask) -> StrictClient:
    client = browser(app)
    data = {"csrf": token_on(client.get(FORM)), "address": "stina@example.se", "password": PASSWORD}
    assert client.post(FORM, data=data).location == CODE
    return client


def answer_second(client: StrictClient, answer: str) -> TestResponse:
    return client.post(SECOND, data={"csrf": token_on(client.get(CODE)), "answer": answer})


def is_in(client: StrictClient) -> bool:
    return client.get("/admin").status_code == 200
