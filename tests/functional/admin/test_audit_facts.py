"""What the audit says beside who, what and when is said in words, in both languages, and nothing is lost that has none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.audit_facts import AuditFact
from preferences.domain.retention import Kind
from preferences.domain.roles import Role
from preferences.models.audit import AuditRow
from preferences.services.staff.audit import record_audit
from preferences.web.admin.words.fact_codes import CODES
from preferences.web.admin.words.facts import FACTS, Known, facts_in_words
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.staff import audited, signed_in

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RECORDERS = ("record_audit", "audited_read", "record_step")


def said(action: AuditAction, locale: str = "sv", known: Known | None = None, **data: Any) -> list[str]:
    """What the page says of such an entry."""
    with force_locale(locale):
        return [f"{name}: {value}" for name, value in facts_in_words(action, data, known or Known())]


def last_cell(page: Page) -> str:
    """The cell with why, and more, of the newest entry but the look at the audit itself."""
    cells = [row.findall("td") for row in page.all("tr")]
    return " ".join("".join([one[-1] for one in cells if len(one) == 4][1].itertext()).split())


@pytest.mark.parametrize(
    ("action", "data", "swedish", "english"),
    [
        (AuditAction.RECIPIENT_SEEN, {"part": "told"}, ["Del: Vilka som fått veta"], ["Part: Who was told"]),
        (AuditAction.RECIPIENTS_SEARCHED, {"by": []}, [], []),
        (
            AuditAction.RECIPIENTS_SEARCHED,
            {"by": ["text", "status"]},
            ["Använda filter: adress, @domän eller id, läge"],
            ["Filters used: address, @domain or id, state"],
        ),
        (
            AuditAction.REQUEST_ANSWERED,
            {"by": "letter"},
            ["Personen får besked: med brev"],
            ["The person is told: by letter"],
        ),
        (AuditAction.STAFF_CREATED, {"role": "administrator"}, ["Roll: Administratör"], ["Role: Administrator"]),
        (
            AuditAction.RECIPIENT_RESTRICTED,
            {"ended": False, "done": True},
            ["Något ändrades: ja", "Spärren hävdes: nej"],
            ["Something changed: yes", "The block ended: no"],
        ),
        (AuditAction.TAKEDOWN_CHANGED, {"assigned_to": None, "due_on": None}, [], []),
        (AuditAction.TAKEDOWN_CHANGED, {"due_on": "2026-12-03"}, ["Senast: 3 dec. 2026"], None),
        (AuditAction.ACTED_ON_BEHALF, {"form": "a8f3", "entry": 0}, ["Post i liggaren: 0"], ["Ledger entry: 0"]),
        (AuditAction.KEY_ISSUED, {"key": "ab12", "days": 0}, ["Nyckel: pk_ab12", "Dagar den gäller: utan slut"], None),
        (
            AuditAction.LEDGER_VERIFIED,
            {"found": [["removed", 12, None], "?"]},
            ["Hittat: Förseglad men borta: 12, ?"],
            ["Found: Sealed, and gone: 12, ?"],
        ),
        (
            AuditAction.RETENTION_RUN,
            {"removed": 2, Kind.SIGN_UPS.value: 2},
            ["Borttaget: 2", "Anmälningar: 2"],
            ["Removed: 2", "Sign-ups: 2"],
        ),
        (AuditAction.RETENTION_RUN, {"evidence": 3}, ["Underlag för ett val som ett senare har ersatt: 3"], None),
        (AuditAction.REQUEST_CHANGED, {"evidence": 3}, ["Bevis: 3"], ["Pieces of evidence: 3"]),
        (
            AuditAction.REQUEST_CHANGED,
            {"fields": ["name", "vat_number", "telephone"]},
            ["Fält: Namn, momsnummer, telefon"],
            None,
        ),
        (AuditAction.REQUEST_CHANGED, {"fields": 4}, ["Fält: 4"], ["Fields: 4"]),
        (AuditAction.REQUEST_EXTENDED, {"until": "soon"}, ["Till och med: soon"], None),
        (AuditAction.SIGNED_IN, {"of_before": {"x": 1}}, ["of_before: {'x': 1}"], ["of_before: {'x': 1}"]),
    ],
)
def test_facts_are_said_in_words(
    app: Flask, action: AuditAction, data: dict[str, Any], swedish: list[str], english: list[str] | None
) -> None:
    with app.test_request_context("/"):
        assert said(action, **data) == swedish
        if english is not None:
            assert said(action, "en", **data) == english


def test_numbers_of_staff_and_purposes_have_their_names(app: Flask) -> None:
    known = Known(staff={3: "Carl"}, purposes={2: "Nyheter"})
    with app.test_request_context("/"):
        assert said(AuditAction.TAKEDOWN_CHANGED, known=known, assigned_to=3) == ["Handläggs av: Carl"]
        assert said(AuditAction.ACTED_ON_BEHALF, known=known, purpose=2) == ["Ändamål: Nyheter"]
        assert said(AuditAction.ACTED_ON_BEHALF, known=known, purpose=9) == ["Ändamål: 9"]


def test_every_fact_has_a_name_and_every_code_words_in_both_languages(app: Flask) -> None:
    assert set(FACTS) == set(AuditFact)
    written = [*FACTS.values(), *(word for tables in CODES.values() for one in tables for word in one.values())]
    with app.test_request_context("/"):
        for locale in ("en", "sv"):
            with force_locale(locale):
                assert all(str(word).strip() or word == "" for word in written)


def test_every_code_that_is_written_into_the_audit_has_words(root: Path) -> None:
    written = set(_codes(root))
    assert ("part", "history") in written
    assert ("what", "hook_added") in written
    without = {
        (name, code)
        for name, code in written
        if name in [*CODES] and not any(code in table for table in CODES[AuditFact(name)])
    }
    assert not without


def _codes(root: Path) -> Iterator[tuple[str, str]]:
    """Each fact with the codes that stand beside it in the source of what records; those in variables are vocabularies."""
    for path in (root / "preferences").rglob("*.py"):
        text = path.read_text()
        if not any(name in text for name in RECORDERS):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in [*AuditFact]:
                        yield from ((str(key.value), code) for code in _texts(value))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RECORDERS:
                for one in node.keywords:
                    yield from ((str(one.arg), code) for code in _texts(one.value) if one.arg in [*AuditFact])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def test_a_fact_without_a_name_is_refused_before_anything_is_written(session: Session) -> None:
    with pytest.raises(ValueError, match="AuditFact"):
        record_audit(session, None, AuditAction.SETTINGS_CHECKED, data={"part": "told", "whatever": 1}, now=NOW)
    assert audited(session) == []


def test_page_says_facts_in_words_and_older_entries_as_they_are(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    target = AuditTarget(AuditObject.RECIPIENT, make_recipient(session).id)
    record_audit(session, officer.staff.id, AuditAction.RECIPIENT_SEEN, target, data={"part": "history"}, now=NOW)
    session.commit()
    page = officer.get("/admin/audit")
    assert "part=" not in page.text
    assert last_cell(Page(page)) == "Del: Historik"
    older = {"recorded_at": NOW, "action": AuditAction.SETTINGS_CHECKED, "object_kind": AuditObject.NONE}
    session.execute(insert(AuditRow).values(**older, data={"<script>alert(1)</script>": "<b>x</b>", "what": "<i>"}))
    session.commit()
    page = officer.get("/admin/audit")
    assert "<script>alert" not in page.text
    assert "<b>x" not in page.text
    assert last_cell(Page(page)) == "Vad: <i>; <script>alert(1)</script>: <b>x</b>"


def test_entry_without_reason_and_facts_shows_a_dash(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    record_audit(session, officer.staff.id, AuditAction.SETTINGS_CHECKED, now=datetime.now(UTC))
    session.commit()
    assert last_cell(Page(officer.get("/admin/audit"))) == "–"


def test_export_of_the_audit_keeps_codes_and_records_no_text_that_was_typed(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    target = AuditTarget(AuditObject.RECIPIENT, make_recipient(session).id)
    record_audit(session, officer.staff.id, AuditAction.RECIPIENT_SEEN, target, data={"part": "told"}, now=NOW)
    session.commit()
    taken = officer.post("/admin/audit/export", {"reason": "Tillsynen frågar"})
    assert '""part"": ""told""' in taken.text
    officer.post("/admin/audit/export?id=anna@example.se&since=x&action=recipient_seen", {"reason": "Allt"})
    page = Page(officer.get("/admin/audit"))
    assert "anna@example.se" not in page.text
    assert last_cell(page).endswith("Vad: granskningsloggen; Bara vad som gjordes: Såg en mottagare; Vilken: 0")
