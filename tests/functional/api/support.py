"""Calls the API as a mailer would, and reads its answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.web.api.calls import spec_of
from tests.support.client import StrictClient

BASE = "/api/v1"


def conforms(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """Every good answer is what the specification says: no member more, none less, and one of the statuses declared."""
    endpoint, _ = app.url_map.bind("preferences.example").match(BASE + path.partition("?")[0], method=method)
    spec = spec_of(app.view_functions[endpoint])
    if spec is not None and method != "HEAD":
        assert response.status_code in spec.statuses
        spec.gives.model_validate(json.loads(response.get_data()), extra="forbid")


@dataclass(frozen=True)
class Reply:
    """An answer."""

    response: TestResponse

    @property
    def json(self) -> Any:
        assert self.response.status_code < 400, self.response.get_data(as_text=True)
        return json.loads(self.response.get_data())

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.response.get_data().splitlines()]

    @property
    def status_code(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> Any:
        return self.response.headers

    @property
    def mimetype(self) -> str:
        return self.response.mimetype or ""

    def problem(self, status: int) -> dict[str, Any]:
        """The problem document, which has this status."""
        assert self.response.status_code == status, self.response.get_data(as_text=True)
        assert self.response.mimetype == "application/problem+json"
        found: dict[str, Any] = json.loads(self.response.get_data())
        assert found["status"] == status
        assert {"type", "title", "detail", "code"} <= found.keys()
        return found


@dataclass(frozen=True)
class Api:
    """A client with a key."""

    client: StrictClient
    key: str | None
    session: Session | None = None
    """The test's own session: what it looked at is let go before each call, because SQLite has one writer."""

    def call(self, method: str, path: str, data: bytes | None = None, **headers: str) -> Reply:
        """Any request."""
        if self.session is not None:
            self.session.rollback()
        sent = {"Authorization": f"Bearer {self.key}"} if self.key is not None else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.open(BASE + path, method=method, data=data, headers=sent)
        if response.status_code < 300 and response.mimetype == "application/json":
            conforms(self.client.application, method, path, response)
        return Reply(response)

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, None, **headers)

    def delete(self, path: str, **headers: str) -> Reply:
        return self.call("DELETE", path, None, **headers)

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Reply:
        return self.send("POST", path, body, key=key, **headers)

    def put(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Reply:
        return self.send("PUT", path, body, key=key, **headers)

    def send(self, method: str, path: str, body: Any, *, key: str | None = None, **headers: str) -> Reply:
        """A JSON body, with an Idempotency-Key where given."""
        extra = {"Idempotency_Key": key} if key is not None else {}
        return self.call(method, path, json.dumps(body).encode(), Content_Type="application/json", **extra, **headers)

    def post_lines(self, path: str, lines: bytes, *, accept: str = "*/*") -> Reply:
        return self.call("POST", path, lines, Content_Type="application/x-ndjson", Accept=accept)

    def put_lines(self, path: str, lines: bytes, *, accept: str = "*/*") -> Reply:
        return self.call("PUT", path, lines, Content_Type="application/x-ndjson", Accept=accept)
