"""Every call of this part, with a request that is good but for what a test makes bad in it."""

from __future__ import annotations

from typing import Any

from preferences.domain.feed import START, format_cursor
from preferences.domain.scopes import Scope

NOBODY = "0000000000001"

Request = tuple[str, str, Any]

EVERY_CALL: list[tuple[Request, Scope]] = [
    (("PUT", "/recipients", {"recipients": [{"email": "anna@example.se"}]}), Scope.RECIPIENTS_WRITE),
    (("GET", f"/recipients/{NOBODY}", None), Scope.RECIPIENTS_READ),
    (("DELETE", f"/recipients/{NOBODY}", None), Scope.RECIPIENTS_WRITE),
    (("POST", "/links", {"purpose": "marketing", "recipients": ["anna@example.se"]}), Scope.LINKS),
    (
        (
            "POST",
            "/choices",
            {
                "recipient": "anna@example.se",
                "purpose": "marketing",
                "act": "withdrawn",
                "occurred_at": "2026-01-01T00:00:00Z",
            },
        ),
        Scope.CHOICES_WRITE,
    ),
    (("GET", "/suppressions", None), Scope.SUPPRESSIONS_READ),
    (("GET", "/changes", None), Scope.CHANGES_READ),
    (("GET", "/imports/1", None), Scope.IMPORTS),
    (("GET", "/imports/1/report", None), Scope.IMPORTS),
    (("GET", "/trainings", None), Scope.PHOTOS_READ),
    (("GET", "/trainings/1/photo-list", None), Scope.PHOTOS_READ),
    (("POST", "/photo-check", {"recipients": ["anna@example.se"]}), Scope.PHOTOS_READ),
    (("GET", "/changes/position", None), Scope.CHANGES_READ),
    (("POST", "/changes/acknowledge", {"cursor": format_cursor(START)}), Scope.CHANGES_READ),
    (("POST", "/eligibility", {"purpose": "marketing", "recipients": ["anna@example.se"]}), Scope.ELIGIBILITY),
    (("GET", "/endpoints", None), Scope.ENDPOINTS),
    (("POST", "/endpoints", {"url": "https://hooks.example/preferences"}), Scope.ENDPOINTS),
    (("GET", "/endpoints/1", None), Scope.ENDPOINTS),
    (("PATCH", "/endpoints/1", {"state": "disabled"}), Scope.ENDPOINTS),
    (("DELETE", "/endpoints/1", None), Scope.ENDPOINTS),
    (("POST", "/endpoints/1/test", {}), Scope.ENDPOINTS),
    (("POST", "/endpoints/1/rotate", {}), Scope.ENDPOINTS),
    (("GET", "/endpoints/1/attempts", None), Scope.ENDPOINTS),
    (("POST", "/endpoints/1/replay", {"event": 1}), Scope.ENDPOINTS),
    (("POST", "/header-check", {"message": "List-Id: <news.example>\r\n\r\n"}), Scope.HEADER_CHECK),
]
EMPTY_IS_FINE = {f"/endpoints/1{call}" for call in ("", "/test", "/rotate", "/replay")}
"""Calls of which every field may be left out."""
WITH_BODY = [request for request, _ in EVERY_CALL if request[2] is not None]
BULK = [request for request in WITH_BODY if "recipients" in request[2]]


def name_of(value: Any) -> str | None:
    """How a test case is called in reports."""
    if isinstance(value, tuple) and isinstance(value[0], str):
        return f"{value[0]} {value[1].split('/')[1]}"
    return None
