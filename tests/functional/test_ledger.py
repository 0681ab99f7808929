"""The ledger only grows, and choices are what it says (house rule 7)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.services.verify import verify_ledger
from tests.factories import act, make_recipient


@pytest.mark.parametrize("statement", ["UPDATE ledger_entries SET act = 'given'", "DELETE FROM ledger_entries"])
def test_ledger_refuses_change_and_removal(session: Session, statement: str) -> None:
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text(statement))


def test_verify_finds_a_choice_that_was_changed_behind_the_ledgers_back(session: Session) -> None:
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    assert verify_ledger(session).is_sound
    session.execute(text("UPDATE choices SET act = 'given'"))
    found = verify_ledger(session)
    assert [one.folded.act for one in found.differences] == [Act.WITHDRAWN]
