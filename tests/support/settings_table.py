"""The table of settings in docs/settings.md, made from the code: `python -m tests.support.settings_table` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from preferences.config import PREFIX, Settings
from preferences.safe_settings import BETWEEN, REQUIRED, SAMPLES

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "settings.md"
START, END = "<!-- settings, made by `python -m tests.support.settings_table` -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """One row a setting, in the order of the code."""
    rows = "".join(f"| {' | '.join(_row(one))} |\n" for one in fields(Settings))
    return f"| setting | what | default |\n|---|---|---|\n{rows}"


def with_table(page: str) -> str:
    """The page with its table as it ought to be."""
    before, _, rest = page.partition(START)
    return before + START + table() + END + rest.partition(END)[2]


def _row(setting: Field[Any]) -> Iterator[str]:
    yield f"`{PREFIX}{setting.name.upper()}`"
    what = str(setting.metadata["what"])
    if setting.name in BETWEEN:
        what += f" ({BETWEEN[setting.name][0]}–{BETWEEN[setting.name][1]})"
    if setting.metadata["secret"]:
        what += "; secret"
    if setting.name in (*REQUIRED, *SAMPLES, "mail_transport"):
        what += "; **must be set in production**"
    yield what
    yield _default(setting.default)


def _default(value: Any) -> str:
    if isinstance(value, StrEnum):
        value = value.value
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`" if value not in {None, "", b""} else ""


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
