"""Whoever integrates finds every reason, its sentence and what to do about it (house rule 13)."""

from __future__ import annotations

import re
from pathlib import Path

from preferences.domain.eligibility import SENTENCES, Reason


def test_every_reason_stands_in_the_document_in_order_with_its_sentence_and_advice(root: Path) -> None:
    text = (root / "docs" / "eligibility.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [(code, sentence) for code, sentence, _ in rows] == [(reason.value, SENTENCES[reason]) for reason in Reason]
    assert all(advice.strip() for _, _, advice in rows)
