"""Documents tell the truth about what is there (house rule 13)."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from flask import Flask

from preferences.domain.events import EventType
from preferences.worker.chores import CHORES, HOURLY


def test_every_dependency_is_named_with_reason_and_licence(root: Path) -> None:
    rows = dict(
        re.findall(
            r"^\| `([a-z0-9-]+)(?:\[[a-z]+\])?` \| (.+) \|$", (root / "docs" / "dependencies.md").read_text(), re.M
        )
    )
    for name in ("requirements.in", "requirements-dev.in"):
        wanted = re.findall(r"^([a-z][a-z0-9-]*)", (root / name).read_text(), re.MULTILINE)
        missing = [one for one in wanted if one not in rows]
        assert not missing, f"{name}: {missing}"
    assert all(len(row.split("|")) == 2 and all(cell.strip() for cell in row.split("|")) for row in rows.values())


def test_every_event_type_is_documented(root: Path) -> None:
    text = (root / "docs" / "events.md").read_text()
    assert [one for one in EventType if f"`{one}`" not in text] == []


def test_every_path_of_the_service_is_documented(app: Flask, root: Path) -> None:
    text = "\n".join(path.read_text() for path in (root / "docs").glob("*.md"))
    rules = {re.sub(r"<(?:[a-z_]+:)?([a-z_]+)>", r"<\1>", rule.rule) for rule in app.url_map.iter_rules()}
    undocumented = [
        rule
        for rule in sorted(rules)
        if not re.search(rf"{re.escape(_bare(rule))}(?![a-z0-9_/-])", _bare(text)) and not rule.startswith("/static")
    ]
    assert undocumented == []


def test_links_between_documents_lead_somewhere(root: Path) -> None:
    broken: list[str] = []
    for path in [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "clients").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                broken.append(f"{path.name}: {target}")
    assert broken == []


def _bare(text: str) -> str:
    """Paths with their parameters made alike: `<token>` and `{token}` are the same thing."""
    return re.sub(r"<[a-z_]+>|\{[a-z_]+\}", "*", text)


def test_every_piece_of_periodic_work_is_documented_with_its_period(root: Path) -> None:
    text = (root / "docs" / "operations.md").read_text()
    words = {HOURLY: "hour"}
    missing = [
        name
        for name, chore in CHORES.items()
        if f"| `{name}` | {words.get(chore.every, _in_minutes(chore.every))} |" not in text
    ]
    assert missing == []


def _in_minutes(period: timedelta) -> str:
    minutes = round(period.total_seconds() / 60)
    return {1: "minute", 1440: "day"}.get(minutes, f"{minutes} minutes")
