"""What a page costs whoever opens it: little, and nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from .screens import SCREENS

MOST_BYTES = 50_000


@pytest.mark.parametrize("name", ["preferences", "unsubscribe", "landing"])
def test_page_with_everything_it_loads_stays_small_and_first_party(
    name: str, session: Session, open_page: Callable[..., Page]
) -> None:
    page = open_page("/cookies")
    sizes: list[int] = []
    hosts: set[str] = set()

    def count(response: object) -> None:
        sizes.append(len(response.body()))  # type: ignore[attr-defined]
        hosts.add(response.url.split("/")[2])  # type: ignore[attr-defined]

    page.context.clear_cookies()
    page.on("response", count)
    page.goto(page.url.replace("/cookies", SCREENS[name](session)))
    page.wait_for_load_state("networkidle")
    assert sum(sizes) < MOST_BYTES
    assert len(hosts) == 1
    assert page.context.cookies() == []
