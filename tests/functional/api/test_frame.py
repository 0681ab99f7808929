"""Around every call: keys, problems for unknown paths, and nothing said that should not be."""

from __future__ import annotations

from tests.support.client import StrictClient


def test_unknown_path_under_the_api_answers_a_problem(client: StrictClient) -> None:
    answer = client.get("/api/v1/nothing-here")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "not_found"


def test_unknown_path_elsewhere_answers_a_page(client: StrictClient) -> None:
    assert client.get("/nothing-here").mimetype == "text/html"
