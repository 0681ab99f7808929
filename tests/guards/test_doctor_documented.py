"""docs/header-doctor.md tells of every finding, with its severity and its sentence (house rule 13)."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from flask_babel import force_locale

from preferences.integrations.header_doctor_codes import Code, Finding
from preferences.integrations.header_doctor_words import SENTENCES


def test_every_code_stands_in_the_document_with_severity_and_sentence(app: Flask, root: Path) -> None:
    text = (root / "docs" / "header-doctor.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (error|warning|note) \| (.+) \|$", text, re.MULTILINE)
    with force_locale("en"):
        assert rows == [(code.value, Finding(code).severity.value, str(SENTENCES[code])) for code in Code]
