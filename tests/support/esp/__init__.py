"""Requests as ESPs send them: signed by the test's own keys, with the recorded payloads of tests/fixtures/esp."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "esp"
BASE_URL = "https://preferences.example"


@dataclass(frozen=True)
class Signed:
    """One request: body and headers, ready to send."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """How a provider's requests are made and with which secrets. `proof` names the header or field with the signature."""

    provider: str
    secrets: Mapping[str, str]
    sign: Callable[[Any, datetime], Signed]
    proof: str
    is_timed: bool = False
    """Whether the scheme has a timestamp, so that an old request is refused."""
    in_body: bool = False
    """Whether the proof lies in the body."""

    @property
    def path(self) -> str:
        """Where the provider posts."""
        return f"/hooks/esp/{self.provider}/newsletter"


@dataclass(frozen=True)
class Case:
    """A recorded request and what it means."""

    provider: str
    name: str
    request: Any
    events: list[dict[str, Any]]


@cache
def cases(provider: str) -> tuple[Case, ...]:
    """Every recorded request of a provider."""
    recorded = json.loads((FIXTURES / f"{provider}.json").read_text())
    return tuple(Case(provider, name, one["request"], one["events"]) for name, one in recorded.items())


def a_case(provider: str, kind: str) -> Case:
    """The first recorded request in which an event of this kind stands first."""
    for case in cases(provider):
        if any(event["type"] == kind for event in case.events):
            return case
    raise LookupError(f"{provider} has no {kind}")
