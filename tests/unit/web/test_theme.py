"""Whatever the company's colour is, words and controls can be read (WCAG 1.4.3, 1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preferences.web.theme import (
    DARK_PAGE,
    DARK_SURFACE,
    LIGHT_PAGE,
    LIGHT_SURFACE,
    Scheme,
    contrast,
    dark_scheme,
    light_scheme,
    stylesheet,
)

COLOURS = st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True)


def check(scheme: Scheme, surfaces: list[str]) -> None:
    for surface in surfaces:
        assert contrast(scheme.accent, surface) >= 4.5
        assert contrast(scheme.hover, surface) >= 4.5
    assert contrast(scheme.on_accent, scheme.accent) >= 4.5
    assert contrast(scheme.on_accent, scheme.hover) >= 4.5
    assert contrast(scheme.accent, scheme.wash) >= 4.5
    assert contrast(scheme.hover, scheme.wash) >= 4.5


@settings(deadline=None, max_examples=300)
@given(colour=COLOURS)
def test_every_accent_is_readable_in_both_schemes(colour: str) -> None:
    check(light_scheme(colour), [LIGHT_SURFACE, LIGHT_PAGE])
    check(dark_scheme(colour), [DARK_SURFACE, DARK_PAGE])


def test_a_readable_accent_is_left_as_it_is() -> None:
    assert light_scheme("#0b5d66").accent == "#0b5d66"


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_stylesheet_holds_both_schemes() -> None:
    text = stylesheet("#FFEE00")
    assert text.count("--on-accent:") == 2
    assert "prefers-color-scheme:dark" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fixed_colours_keep_their_contrast(root: Path, scheme: str) -> None:
    text = (root / "static/css/site.css").read_text()
    blocks = re.findall(r":root \{([^}]*)\}", text)
    colours = {
        name: value if len(value) == 7 else "#" + "".join(2 * one for one in value[1:])
        for block in (blocks[:1] if scheme == "light" else blocks[:2])
        for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block)
    }
    for ink in ("ink", "muted", "good", "bad"):
        for surface in ("page", "surface"):
            assert contrast(colours[ink], colours[surface]) >= 4.5, (ink, surface)
    assert contrast(colours["bad"], colours["bad-wash"]) >= 4.5
    assert contrast(colours["ink"], colours["good-wash"]) >= 4.5
    assert contrast(colours["field"], colours["surface"]) >= 3
    assert (colours["page"], colours["surface"]) == (
        (LIGHT_PAGE, LIGHT_SURFACE) if scheme == "light" else (DARK_PAGE, DARK_SURFACE)
    )


def test_paper_is_white_whatever_the_screen_is(root: Path) -> None:
    """Dark colours are for screens alone: on paper they were dark blocks under dark words."""
    sheets = [stylesheet("#0b5d66"), *(one.read_text() for one in (root / "static" / "css").glob("*.css"))]
    dark = [line for text in sheets for line in text.splitlines() if "prefers-color-scheme" in line]
    assert len(dark) >= 3
    assert all(line.startswith("@media screen and (prefers-color-scheme") for line in dark), dark
