"""Only integrations/list_headers.py writes List-Unsubscribe, List-Unsubscribe-Post and List-Id (M1)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

NAMES = {"list-unsubscribe", "list-unsubscribe-post", "list-id"}
CONSTANTS = {"LIST_UNSUBSCRIBE", "LIST_UNSUBSCRIBE_POST", "LIST_ID"}
THE_ONE = "preferences/integrations/list_headers.py"


def header_writes(tree: ast.AST) -> Iterator[int]:
    """Lines on which one of the headers is a key that is set: `x[name] = …`, `{name: …}`, `x.add_header(name, …)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _names_header(node.slice):
            yield node.lineno
        elif isinstance(node, ast.Dict):
            yield from (key.lineno for key in node.keys if key is not None and _names_header(key))
        elif isinstance(node, ast.Call) and _sets_header(node):
            yield node.lineno


def _sets_header(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in {"add_header", "set", "setdefault", "replace_header"}
        and bool(node.args)
        and _names_header(node.args[0])
    )


def _names_header(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value.lower() in NAMES
    return (isinstance(node, ast.Name) and node.id in CONSTANTS) or (
        isinstance(node, ast.Attribute) and node.attr in CONSTANTS
    )


def test_no_other_file_writes_the_headers(root: Path) -> None:
    found = {}
    for file in [root / "app.py", *sorted((root / "preferences").rglob("*.py"))]:
        lines = list(header_writes(ast.parse(file.read_text(encoding="utf-8"))))
        if lines:
            found[str(file.relative_to(root))] = lines
    assert list(found) == [THE_ONE], f"use preferences.integrations.list_headers instead: {found}"


def test_the_guard_sees_every_way_of_writing() -> None:
    ways = [
        'm["List-Id"] = 1',
        'x = {"list-unsubscribe": 1}',
        'm.add_header("List-Unsubscribe-Post", "x")',
        "m[LIST_ID] = 1",
    ]
    assert all(list(header_writes(ast.parse(way))) for way in ways)
