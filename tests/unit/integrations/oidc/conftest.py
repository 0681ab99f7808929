"""A provider that runs on this machine, honest at the start of every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.identity_provider import FakeProvider, providing


@pytest.fixture(scope="module")
def server() -> Iterator[FakeProvider]:
    with providing() as provider:
        yield provider


@pytest.fixture
def fake(server: FakeProvider) -> FakeProvider:
    return server.fresh()
