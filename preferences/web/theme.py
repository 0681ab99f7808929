"""The one accent colour, made readable: text and controls keep their contrast whatever it is (WCAG 1.4.3, 1.4.11).

The strict CSP forbids inline styles, so the colours are served as a tiny stylesheet of our own with its version in its address.
"""

from __future__ import annotations

from dataclasses import dataclass

LIGHT_SURFACE = "#ffffff"
LIGHT_PAGE = "#f5f6f4"
DARK_SURFACE = "#1d2425"
DARK_PAGE = "#141919"
INK, PAPER = "#10181a", "#ffffff"
TEXT_CONTRAST = 4.6
"""A little over the 4.5:1 of WCAG 1.4.3, so that rounding to eight bits never falls below it."""

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The accent in one colour scheme: the colour itself, under the pointer, what is written on it, and a faint wash of it."""

    accent: str
    hover: str
    on_accent: str
    wash: str


@dataclass(frozen=True, slots=True)
class Wash:
    """So much of the accent over a surface, behind what is chosen or said."""

    surface: str
    share: float

    def over(self, accent: Rgb) -> Rgb:
        """The colour that comes of it."""
        return _mix(_parse(self.surface), accent, self.share)


LIGHT_WASH, DARK_WASH = Wash(LIGHT_SURFACE, 0.07), Wash(DARK_SURFACE, 0.1)


def stylesheet(accent: str) -> str:
    """The custom properties that site.css builds on, for both schemes."""
    light, dark = light_scheme(accent), dark_scheme(accent)
    return f":root{{{_properties(light)}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{_properties(dark)}}}}}\n"


def light_scheme(accent: str) -> Scheme:
    """The accent darkened until it can be read on light surfaces."""
    colour = _until_readable(_parse(accent), (0, 0, 0), [LIGHT_SURFACE, LIGHT_PAGE], LIGHT_WASH)
    return _scheme(colour, _mix(colour, (0, 0, 0), 0.18), LIGHT_WASH.over(colour))


def dark_scheme(accent: str) -> Scheme:
    """The accent lightened until it can be read on dark surfaces."""
    colour = _until_readable(_parse(accent), (255, 255, 255), [DARK_SURFACE, DARK_PAGE], DARK_WASH)
    return _scheme(colour, _mix(colour, (255, 255, 255), 0.18), DARK_WASH.over(colour))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(_parse(one)), _luminance(_parse(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _scheme(colour: Rgb, hover: Rgb, wash: Rgb) -> Scheme:
    accent, over = _hex(colour), _hex(hover)
    on_accent = max((PAPER, INK), key=lambda ink: min(contrast(ink, accent), contrast(ink, over)))
    return Scheme(accent=accent, hover=over, on_accent=on_accent, wash=_hex(wash))


def _until_readable(colour: Rgb, towards: Rgb, surfaces: list[str], wash: Wash) -> Rgb:
    """Mixed with black or white until it can be read on every surface, its own wash among them: links stand there too."""
    for step in range(101):
        found = _mix(colour, towards, step / 100)
        if all(contrast(_hex(found), surface) >= TEXT_CONTRAST for surface in (*surfaces, _hex(wash.over(found)))):
            return found
    return towards


def _properties(scheme: Scheme) -> str:
    return (
        f"--accent:{scheme.accent};--accent-hover:{scheme.hover};"
        f"--on-accent:{scheme.on_accent};--accent-wash:{scheme.wash}"
    )


def _parse(colour: str) -> Rgb:
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mix(colour: Rgb, towards: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, towards, strict=True))
    return (red, green, blue)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
