"""`/me`: everything that is held about a person, in plain words, for nobody but that person (L8, T6, T11)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.step_up import open_own_data

PAGES = ("/me", "/me/data", "/me/choices", "/me/history", "/me/why", "/me/senders", "/me/copy", "/me/print", "/me/export.json")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_a_new_person_without_anything_recorded(app: Flask, session: Session, path: str) -> None:
    me = open_own_data(app, session)
    answer = me.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
