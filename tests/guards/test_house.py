"""Habits of the house, held by tests (architecture.md, house rules 1, 5, 6, 10; quality bar)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from preferences.web.access import Access, declared_access

MOST_LINES = 300
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "app.py",
    "babel.cfg",
    "bench",
    "clients",
    "docs",
    "migrations",
    "preferences",
    "pyproject.toml",
    "requirements-dev.in",
    "requirements-dev.txt",
    "requirements.in",
    "requirements.txt",
    "static",
    "templates",
    "tests",
    "translations",
}


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """The files that belong to the project, the untracked ones that are not ignored among them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return [root / line for line in listed.stdout.splitlines() if (root / line).is_file()]


def test_no_file_is_longer_than_a_room_should_be(tracked: list[Path]) -> None:
    rooms = [
        path
        for path in tracked
        if path.suffix in {".py", ".html", ".css", ".js", ".mjs"} and "translations" not in path.parts
    ]
    too_long = {str(path): lines for path in rooms if (lines := len(path.read_text().splitlines())) > MOST_LINES}
    assert not too_long


def test_top_level_holds_what_the_client_fixed_and_nothing_else(root: Path, tracked: list[Path]) -> None:
    assert {path.relative_to(root).parts[0] for path in tracked} <= TOP_LEVEL


def test_every_view_declares_its_access(app: Flask) -> None:
    undeclared = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and declared_access(app.view_functions[rule.endpoint]) is None
    ]
    assert undeclared == []


def test_a_view_without_declared_access_does_not_run(app: Flask) -> None:
    view = app.view_functions["recipient.landing"]
    try:
        app.view_functions["recipient.landing"] = lambda: "ran"
        assert app.test_client().get("/").status_code == 403
    finally:
        app.view_functions["recipient.landing"] = view


def test_token_pages_take_the_token_in_the_path_alone(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if declared_access(app.view_functions[rule.endpoint]) is Access.TOKEN:
            assert "token" in rule.arguments, f"{rule} (T15)"


def test_views_are_short(root: Path) -> None:
    """A view over 25 lines is hiding a service (house rule 2)."""
    import ast

    long: list[str] = []
    for path in (root / "preferences" / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef) or node.end_lineno is None:
                continue
            is_view = any("route" in ast.unparse(d) or ".get(" in ast.unparse(d) for d in node.decorator_list)
            if is_view and node.end_lineno - node.body[0].lineno + 1 > 25:
                long.append(f"{path.name}:{node.name}")
    assert long == []


def test_nothing_names_a_registry_or_a_path_of_a_machine(tracked: list[Path], root: Path) -> None:
    words = ["pypi\\.o+rg", "python+hosted", "npm+js", "/ro+ot/", "/wo+rk/", "deb+ian\\.org"]
    forbidden = re.compile("|".join(words))
    found = [str(path.relative_to(root)) for path in tracked if _text(path) and forbidden.search(_text(path))]
    assert found == []


def test_templates_load_nothing_from_elsewhere_and_hold_nothing_inline(root: Path) -> None:
    wrong: list[str] = []
    for path in (root / "templates").rglob("*.html"):
        if "email" in path.parts:
            continue
        text = path.read_text()
        if re.search(
            r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|src=[\"'](?:https?:)?//|<link[^>]+href=[\"'](?:https?:)?//",
            text,
        ):
            wrong.append(str(path))
    assert wrong == []


def test_requirements_are_pinned_with_hashes_and_name_no_index(root: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (root / name).read_text()
        assert "--index-url" not in text
        pins = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9#]|\Z)", text, re.MULTILINE | re.DOTALL)
        assert pins
        for pin in pins:
            assert "==" in pin, pin.splitlines()[0]
            assert "--hash=sha256:" in pin, pin.splitlines()[0]


def test_migrations_import_no_models(root: Path) -> None:
    for path in (root / "migrations").glob("*.py"):
        assert "preferences" not in re.sub(r'"""[\s\S]*?"""', "", path.read_text()).replace("preferences_", ""), (
            path.name
        )


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""
