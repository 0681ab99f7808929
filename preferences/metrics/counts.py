"""Counts of what happened, in memory; shared by all processes of one machine once share_counts() was called.

They are incremented while a one-click is answered, so a counter's child is looked up once and kept: a microsecond each.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, values

from preferences.domain.errors import ConfigurationError

disable_created_metrics()  # type: ignore[no-untyped-call]

MEMORY = CollectorRegistry()
"""Counts of this process, where it shares them with no other."""

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The client library's own variable; child processes inherit it."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Whatever else a client calls its method is `other`: labels are closed."""


class OneClickResult(StrEnum):
    """What became of a POST to an unsubscribe link that was not our own form."""

    VALID = "valid"
    """Stored, or stopped already."""
    INVALID_TOKEN = "invalid_token"  # noqa: S105
    """Answered 200 all the same (M7)."""
    NO_BODY = "no_body"
    """A client that omits the body (T5)."""
    OTHER_BODY = "other_body"
    NOT_STORED = "not_stored"
    """Answered 503, so that the client tries again."""


REQUESTS = Counter(
    "preferences_requests",
    "Requests answered, by route template, method and status.",
    ["route", "method", "status"],
    registry=MEMORY,
)
ONE_CLICK = Counter(
    "preferences_one_click",
    "POSTs to unsubscribe links that were not the page's own form, by result.",
    ["result"],
    registry=MEMORY,
)
ELIGIBILITY = Counter(
    "preferences_eligibility_answers",
    "Eligibility answers, by reason; a bulk call counts every recipient.",
    ["reason"],
    registry=MEMORY,
)
JOBS = Counter(
    "preferences_outbox_attempts",
    "Attempts at outbox jobs, by kind and result.",
    ["kind", "result"],
    registry=MEMORY,
)

WEBHOOKS = Counter(
    "preferences_webhook_attempts",
    "Calls of endpoints, by what came of them.",
    ["result"],
    registry=MEMORY,
)

ESP_EVENTS = Counter(
    "preferences_esp_events",
    "Events reported by ESPs, repeats too, by provider and type.",
    ["provider", "type"],
    registry=MEMORY,
)

_requests: dict[tuple[str, str, int], Counter] = {}


class _OneClicks(dict[OneClickResult, Counter]):
    """The counter of each result."""

    def __missing__(self, result: OneClickResult) -> Counter:
        self[result] = child = ONE_CLICK.labels(result.value)
        return child


ONE_CLICKS = _OneClicks()


def count_request(route: str, method: str, status: int) -> None:
    """One more answer of this route template."""
    key = (route, method, status)
    child = _requests.get(key)
    if child is None:
        known = method if method in METHODS else "other"
        child = REQUESTS.labels(route, known, str(status))
        if known == method:
            _requests[key] = child
    child.inc()


def share_counts(folder: Path) -> None:
    """From now on this process and its children count in files of this folder, which must exist. To be called before any count.

    The folder lies in memory, not on a disk: a full disk must not be able to take a process with it while it counts.
    """
    os.environ[SHARED_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def prepare_shared_folder() -> None:
    """Make the folder that the environment names. Raises ConfigurationError: counting there would fail in every request."""
    folder = shared_folder()
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(SHARED_FOLDER, f"the folder cannot be made ({error.strerror})") from None


def shared_folder() -> Path | None:
    """Where all processes of this machine count; None: each by itself."""
    named = os.environ.get(SHARED_FOLDER)
    return Path(named) if named else None
