"""Retention in the admin pages: rules, the dry run, removing now, and the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from preferences.domain.retention_rules import RULES
from preferences.domain.roles import Role
from preferences.domain.staff import FailureKind
from preferences.models.audit import AuditRow
from preferences.models.retention import RetentionRunRow
from preferences.models.staff import SignInFailureRow
from preferences.web.admin.records import retention as page_module
from preferences.web.admin.words.records import RECORD_WORDS
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def make_old_failures(session: Session, count: int) -> None:
    """Failed sign-ins of last week: their two days are over."""
    at = datetime.now(UTC) - timedelta(days=7)
    values = {"kind": next(iter(FailureKind)), "subject": bytes(16), "failed_at": at}
    session.execute(insert(SignInFailureRow), [values] * count)
    session.commit()


def failures(session: Session) -> int:
    session.commit()
    found = session.scalar(select(func.count()).select_from(SignInFailureRow)) or 0
    session.commit()
    return found


def runs(session: Session) -> dict[str, int]:
    session.commit()
    found = {row.rule: row.removed for row in session.scalars(select(RetentionRunRow))}
    session.commit()
    return found


def test_every_rule_stands_there_with_its_period(officer: StaffBrowser) -> None:
    page = Page(officer.get("/admin/retention"))
    assert len(page.all("tr")) == 1 + len(RULES)
    assert "24 månader" in page.text
    assert "alltid, som bevis" in page.text
    assert "Inget har tagits bort än." in page.text


def test_every_rule_has_its_words() -> None:
    assert {*RECORD_WORDS["retention"]} == {*RULES}
    assert {kind for kind, words in RECORD_WORDS["retention_from"].items() if not words} == {
        kind for kind, rule in RULES.items() if rule.is_kept
    }


def test_a_dry_run_counts_and_removes_nothing(session: Session, officer: StaffBrowser) -> None:
    page = Page(officer.get("/admin/retention/run"))
    assert "Det finns inget att göra" in page.text
    assert "/admin/retention/run" not in [form.get("action") for form in page.all("form")]
    make_old_failures(session, 3)
    page = Page(officer.get("/admin/retention/run"))
    assert "Misslyckade inloggningar" in page.text
    assert "<strong>3</strong>" in page.html
    assert failures(session) == 3
    assert runs(session) == {}


def test_what_is_over_is_removed_recorded_and_audited(session: Session, officer: StaffBrowser) -> None:
    make_old_failures(session, 3)
    answer = officer.post("/admin/retention/run")
    assert answer.status_code == 303
    page = Page(officer.get(answer.location))
    assert "Det som var för gammalt har tagits bort" in page.text
    assert failures(session) == 0
    assert runs(session)["sign_in_failures"] == 3
    assert {*runs(session)} == {kind.value for kind, rule in RULES.items() if not rule.is_kept}
    assert audited(session)[-1] == "retention_run"
    row = session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()
    session.commit()
    assert row is not None
    assert row.data == {"removed": 3, "sign_in_failures": 3}
    assert "Personal, från den här sidan" in page.text


def test_one_press_takes_one_portion_and_says_so(
    session: Session, officer: StaffBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "AT_ONCE", 2)
    make_old_failures(session, 3)
    assert "more" in officer.post("/admin/retention/run").location
    assert failures(session) == 1
    assert "=run" in officer.post("/admin/retention/run").location
    assert "nothing" in officer.post("/admin/retention/run").location


def test_runs_that_removed_nothing_are_shown_when_asked_for(session: Session, officer: StaffBrowser) -> None:
    officer.post("/admin/retention/run")
    assert "Inget har tagits bort än." in officer.get("/admin/retention").text
    every = Page(officer.get("/admin/retention?runs=every"))
    kinds = sum(1 for rule in RULES.values() if not rule.is_kept)
    assert len(every.all("tr")) == 2 + len(RULES) + kinds
    one = Page(officer.get("/admin/retention?runs=every&rule=sign_ups"))
    assert len(one.all("tr")) == 2 + len(RULES) + 1


def test_a_rule_that_is_gone_can_still_be_read_and_forged_filters_harm_nothing(
    session: Session, officer: StaffBrowser
) -> None:
    values = {"rule": "of_old", "source": "elsewhere", "ran_at": datetime.now(UTC), "removed": 7}
    session.execute(insert(RetentionRunRow), [values] * 60)
    session.commit()
    page = Page(officer.get("/admin/retention"))
    assert "of_old" in page.text
    assert "before=" in page.html
    for forged in ("rule='", "before=-1", f"before={'9' * 18}", "rule=ledger&runs=x", "before=x"):
        assert officer.get(f"/admin/retention?{forged}").status_code == 200


def test_whoever_signed_in_a_while_ago_proves_it_before_anything_goes(app: Flask, session: Session) -> None:
    make_old_failures(session, 1)
    officer = signed_in(app, session, Role.PRIVACY_OFFICER, at=datetime.now(UTC) - timedelta(minutes=30))
    answer = officer.post("/admin/retention/run", {"back": "/admin/retention/run"})
    assert answer.location.endswith("/admin/confirm?next=/admin/retention/run")
    assert failures(session) == 1


def test_a_marketer_removes_nothing(app: Flask, session: Session) -> None:
    marketer = signed_in(app, session, Role.MARKETER)
    for path in ("/admin/retention", "/admin/retention/run"):
        assert marketer.get(path).status_code == 403
    assert marketer.post("/admin/retention/run").status_code == 403
