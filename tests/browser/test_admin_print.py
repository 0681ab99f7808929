"""What staff print from a dark screen: white paper, no menu, no buttons; of a letter the letter alone: see looking.py."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from preferences.domain.rights import RightsKind
from preferences.domain.roles import Role
from preferences.services.rights.rights import Taken, take_request
from tests.factories import make_recipient
from tests.support.trainings import make_training

from .admin_screens import enter_admin
from .looking import Looker

pytestmark = pytest.mark.slow

DARK = """() => [...document.querySelectorAll("body *")].filter(one => {
  const box = one.getBoundingClientRect(), [r, g, b, a] = getComputedStyle(one).backgroundColor.match(/[\\d.]+/g).map(Number);
  return box.width > 1 && box.height > 1 && a !== 0 && r + g + b < 384;
}).map(one => `${one.tagName}.${one.className}`)"""
SEEN = (
    "() => [...document.querySelectorAll('nav, button, input, select, .me')].filter(one => one.offsetWidth > 1).length"
)


def test_paper_is_white_and_holds_no_controls(session: Session, looker: Looker) -> None:
    page = looker.page
    me = enter_admin(session, looker, Role.ADMINISTRATOR)
    anna = make_recipient(session, name="Anna Öberg")
    training = make_training(session, anna)
    taken = take_request(session, anna.id, RightsKind.ACCESS, details={}, locale="sv", now=datetime.now(UTC))
    session.commit()
    assert isinstance(taken, Taken)
    letter = f"/admin/requests/{taken.reference}/letter"
    for path in ("/admin/requests/calendar", f"/admin/trainings/{training}/photo-list", letter):
        looker.go(path)
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(DARK) == [], path
        assert page.evaluate(SEEN) == 0, path
        if path == letter:
            assert me.name not in page.inner_text("body")
            assert page.inner_text("body").strip() == page.inner_text(".letter").strip()
        page.emulate_media(media="screen", color_scheme="light")
