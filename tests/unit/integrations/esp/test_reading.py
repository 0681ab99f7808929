"""Every recorded event reads as it should, and nothing that a provider could send makes a reader fail."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from preferences.domain.esp_events import EspEvent
from preferences.integrations.esp import PROVIDERS
from preferences.integrations.esp.base import Incoming, Malformed, NotVerified, TooMany, parse_json
from preferences.integrations.esp.fields import moment, references, status_in
from tests.support.esp import Case, Sample, cases
from tests.support.esp.samples import SAMPLES, envelope

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EVERY_CASE = [case for provider in PROVIDERS for case in cases(provider)]
HOSTILE: list[Any] = [
    None, True, 0, -1, 10**400, 1e308, float("nan"), "", "\x00", "\ud800", "a" * 100_000, [], {}, [[]], {"a": {}}, ["x"] * 300,
    [None], "<script>", "5.1.1", "/u/" + "A" * 28 + "." + "B" * 22, "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00",
]  # fmt: skip


def incoming(sample: Sample, payload: Any) -> Incoming:
    signed = sample.sign(payload, NOW)
    headers = {name.lower(): [value] for name, value in signed.headers.items()}
    return Incoming(signed.body, headers, f"https://preferences.example{sample.path}")


def described(event: EspEvent, names: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(event, name)
        found[name] = value.isoformat() if isinstance(value, datetime) else value
    return found


def test_every_provider_has_recorded_events_and_a_sample_for_each_of_its_schemes() -> None:
    for name, provider in PROVIDERS.items():
        kinds = {event["type"] for case in cases(name) for event in case.events}
        assert kinds >= {"bounced"}, name
        assert {one.secrets["scheme"] for one in SAMPLES.values() if one.provider == name} == {
            scheme.name for scheme in provider.schemes
        }


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: f"{case.provider}: {case.name}")
def test_recorded_events_read_as_they_should(case: Case) -> None:
    sample = next(one for one in SAMPLES.values() if one.provider == case.provider)
    found = PROVIDERS[case.provider].events(incoming(sample, case.request))
    assert [described(event, wanted) for (_, event), wanted in zip(found, case.events, strict=True)] == case.events


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from _places(one, (*path, key))


def _spoiled(item: Any) -> Iterator[Any]:
    """The item with each hostile value in each of its places."""
    for path in list(_places(item)):
        for value in HOSTILE:
            changed = copy.deepcopy(item)
            inner: Any = changed
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = value
            yield changed


@pytest.mark.parametrize("provider", PROVIDERS)
def test_hostile_values_in_any_field_are_read_or_refused_clearly(provider: str) -> None:
    sample = next(one for one in SAMPLES.values() if one.provider == provider)
    read = PROVIDERS[provider].read
    for case in cases(provider):
        for item, _ in PROVIDERS[provider].events(incoming(sample, case.request))[:2]:
            for changed in _spoiled(item):
                event = read(changed)
                assert event.occurred_at is None or event.occurred_at.tzinfo is not None
                assert len(event.recipient) <= 1000


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("payload", [None, 1, "x", [], [1, None], {}, [{}], {"events": 1}, [[[]]]], ids=repr)
def test_a_payload_of_another_shape_is_read_or_refused_clearly(name: str, payload: Any) -> None:
    sample = SAMPLES[name]
    with contextlib.suppress(Malformed):
        found = PROVIDERS[sample.provider].events(incoming(sample, payload))
        assert all(isinstance(event, EspEvent) for _, event in found)


@pytest.mark.parametrize("provider", PROVIDERS)
@property_settings(max_examples=25)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused_clearly(provider: str, raw: bytes) -> None:
    one = Incoming(raw, {}, "https://preferences.example/")
    with contextlib.suppress(Malformed):
        PROVIDERS[provider].events(one)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"[" * 100_000, b"{", b"1" * 5000, "é".encode("latin-1")], ids=lambda raw: f"{raw[:8]!r}"
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(raw)


def test_mailtrap_is_read_as_json_lines_too() -> None:
    events = cases("mailtrap")[0].request["events"]
    lines = "\n".join(json.dumps(event) for event in events)
    for body in (lines, lines + "\n", lines.replace("\n", "\r\n\n"), json.dumps(events[0])):
        found = PROVIDERS["mailtrap"].events(Incoming(body.encode(), {}, ""))
        assert [event.event_id for _, event in found] == [one["event_id"] for one in events[: len(found)]]
    assert len(PROVIDERS["mailtrap"].events(Incoming(lines.encode(), {}, ""))) == len(events)
    with pytest.raises(Malformed):
        PROVIDERS["mailtrap"].events(Incoming(lines.encode() + b"\n{", {}, ""))


def test_the_sentence_with_which_ses_tries_a_topic_is_taken_and_no_other_text() -> None:
    for sentence in ("Successfully validated SNS topic for Amazon SES event publishing.", "Dear all"):
        body = json.dumps(envelope("Notification", sentence, NOW)).encode()
        one = Incoming(body, {}, "")
        PROVIDERS["ses"].scheme("signed").verify(one, SAMPLES["ses"].secrets, NOW)
        if sentence.startswith("Success"):
            [(_, event)] = PROVIDERS["ses"].events(one)
            assert (event.type, event.native, event.recipient) == ("unknown", "trial", "")
        else:
            with pytest.raises(Malformed):
                PROVIDERS["ses"].events(one)


def test_the_auth_of_a_mailers_metadata_is_not_that_of_the_whole() -> None:
    sample = SAMPLES["unisender_go"]
    verify = PROVIDERS["unisender_go"].scheme("signed").verify
    found = {"event_name": "x", "metadata": {"auth": "a" * 32}}
    verify(incoming(sample, found), sample.secrets, NOW)
    [(item, _)] = PROVIDERS["unisender_go"].events(incoming(sample, {**found, "retry_count": 2}))
    assert item == found
    genuine = incoming(sample, found).body
    digest = json.loads(genuine)["auth"]
    for body in (
        genuine.replace(digest.encode(), b"b" * 32),
        genuine.replace(b"a" * 32, digest.encode()),
        b'{"metadata": {"auth": "' + digest.encode() + b'"}}',
        b"[]",
    ):
        with pytest.raises(NotVerified):
            verify(Incoming(body, {}, ""), sample.secrets, NOW)


def test_mailgun_reuses_an_id_on_another_day() -> None:
    first = cases("mailgun")[0].request
    read = PROVIDERS["mailgun"].read
    again, later = read({**first}), read({**first, "timestamp": first["timestamp"] + 86_400})
    assert again.event_id == read(first).event_id != later.event_id


def test_a_batch_has_an_end() -> None:
    body = b"[" + b",".join([b"{}"] * 50_001) + b"]"
    with pytest.raises(TooMany):
        PROVIDERS["sendgrid"].events(Incoming(body, {}, ""))


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (1763742892, "2025-11-21T16:34:52+00:00"),
        (1763742892123, "2025-11-21T16:34:52.123000+00:00"),
        ("1763742892", "2025-11-21T16:34:52+00:00"),
        ("2025-11-21 16:34:52", "2025-11-21T16:34:52+00:00"),
        ("2025-11-21T17:34:52+01:00", "2025-11-21T16:34:52+00:00"),
        ("2025-11-21T16:34:52.1234567Z", "2025-11-21T16:34:52.123456+00:00"),
    ],
)
def test_times_of_providers_are_read(written: Any, wanted: str) -> None:
    found = moment(written)
    assert found is not None
    assert found.isoformat() == wanted


@pytest.mark.parametrize("written", [None, True, -5, 10**15, "", "yesterday", "2025-13-01", float("inf"), [], {}])
def test_what_is_no_time_is_none(written: Any) -> None:
    assert moment(written) is None


def test_our_link_and_reference_are_found_in_every_shape() -> None:
    token = "A" * 28 + "." + "B" * 22
    header = f"<https://preferences.example/u/{token}>, <mailto:unsubscribe+x@example.com>"
    for source in (
        {"List-Unsubscribe": header, "X-Preferences-Message": "autumn"},
        [{"name": "list-unsubscribe", "value": header}, {"name": "x-preferences-message", "value": "autumn"}],
        [["List-Unsubscribe", header], ["X-Preferences-Message", "autumn"]],
        {"preferences_link": token, "preferences-message": ["autumn"]},
    ):
        assert references(source) == {"link": token, "message": "autumn"}
    assert references({"List-Unsubscribe": "<https://elsewhere.example/x>"}, None, 5) == {}


def test_status_codes_are_found_in_what_servers_say() -> None:
    assert status_in("smtp; 550 5.1.1 user unknown") == "5.1.1"
    assert status_in("", "552 mailbox full") == "552"
    assert status_in("no code 1550", "") == ""


def test_no_event_shows_its_recipient() -> None:
    sample = SAMPLES["postmark"]
    [(_, event)] = PROVIDERS["postmark"].events(incoming(sample, cases("postmark")[0].request))
    assert "anna" not in repr(event)
    assert json.dumps(str(event))
