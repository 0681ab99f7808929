"""The links that a reader of a mail sees, in text and in HTML. Linear in time, whatever it is given.

`html.parser` takes quadratic time on HTML that was made to hurt, so a stranger's HTML is read by the few rules below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

MOST_HTML_CHARACTERS = 500_000
MOST_TAG_CHARACTERS = 4096
MOST_OPEN_TAGS = 100
MOST_LINKS = 500
MOST_WORDS_CHARACTERS = 200

_URL = re.compile(r"https?://[^\s<>\"'()\[\]]{1,2000}", re.IGNORECASE)
_TAG_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:-]{0,40}")
_ATTRIBUTE = re.compile(
    r"""(?<=[\s"'])(href|style|hidden)(?:\s{0,5}=\s{0,5}(?:"([^"]{0,4000})"|'([^']{0,4000})'|([^\s"'>]{1,4000})))?""",
    re.IGNORECASE,
)
_HIDING = ("display:none", "visibility:hidden", "font-size:0", "opacity:0;", "mso-hide:all")
_VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "wbr", "area", "base", "col", "source", "track"})
_UNSEEN = frozenset({"head", "script", "style", "template", "title", "noscript"})
_RAW = frozenset({"script", "style"})


@dataclass(frozen=True, slots=True)
class Link:
    """A link and the words around it: the anchor's own in HTML, those of its line and the line before in text."""

    url: str
    words: str


def links_in_text(text: str) -> list[Link]:
    """Every address in a text body."""
    found: list[Link] = []
    before = ""
    for line in text.splitlines():
        near = f"{before[-MOST_WORDS_CHARACTERS:]} {line[:MOST_WORDS_CHARACTERS]}"
        found += [Link(match[0].rstrip(".,;:!?"), near) for match in _URL.finditer(line[:20_000])]
        before = line or before
        if len(found) >= MOST_LINKS:
            break
    return found[:MOST_LINKS]


@dataclass(slots=True)
class _Open:
    tag: str
    hides: bool
    url: str
    words: list[str] = field(default_factory=list)


def links_in_html(html: str) -> list[Link]:
    """Every anchor that has words in it and that no attribute, element or inlined style hides."""
    found: list[Link] = []
    stack: list[_Open] = []
    for kind, text in _tokens(html[:MOST_HTML_CHARACTERS]):
        if kind == "text":
            if not any(one.hides for one in stack):
                for one in stack:
                    if one.url and len(one.words) < 20:
                        one.words.append(text[:MOST_WORDS_CHARACTERS])
        elif text.startswith("/"):
            found += _closed(stack, text[1:].lower())
        elif len(stack) < MOST_OPEN_TAGS:
            name = _TAG_NAME.match(text)
            tag = name[0].lower() if name else ""
            if tag and tag not in _VOID:
                stack.append(_opened(tag, text))
        if len(found) >= MOST_LINKS:
            return found[:MOST_LINKS]
    return found + list(_ended(stack))


def _opened(tag: str, text: str) -> _Open:
    attributes = {match[1].lower(): match[2] or match[3] or match[4] or "" for match in _ATTRIBUTE.finditer(text)}
    style = "".join(attributes.get("style", "").lower().split()) + ";"
    hides = "hidden" in attributes or tag in _UNSEEN or any(way in style for way in _HIDING)
    return _Open(tag, hides, unescape(attributes.get("href", "")).strip() if tag == "a" else "")


def _closed(stack: list[_Open], text: str) -> list[Link]:
    """End the innermost element of this name and what stands open inside it; a stray end tag ends nothing."""
    name = _TAG_NAME.match(text)
    place = next((place for place in range(len(stack) - 1, -1, -1) if name and stack[place].tag == name[0]), None)
    if place is None:
        return []
    ended = stack[place:]
    del stack[place:]
    return list(_ended(ended))


def _ended(ended: list[_Open]) -> Iterator[Link]:
    for one in ended:
        words = unescape(" ".join(one.words)).strip("\u00a0\u200b \t\r\n")
        if one.url and words:
            yield Link(one.url, words)


def _tokens(html: str) -> Iterator[tuple[str, str]]:
    """`("tag", what stands between the brackets)` and `("text", …)`. Comments and the insides of scripts are left out."""
    at, size = 0, len(html)
    while at < size:
        start = html.find("<", at)
        if start < 0:
            start = size
        if html[at:start].strip():
            yield "text", html[at:start]
        if html.startswith("<!--", start):
            end = html.find("-->", start + 4)
            at = size if end < 0 else end + 3
            continue
        end = html.find(">", start, start + MOST_TAG_CHARACTERS)
        if start == size or end < 0:
            at = start + 1
            continue
        tag = html[start + 1 : end]
        yield "tag", tag
        at = end + 1
        name = tag[:7].lower().split(" ")[0]
        if name in _RAW:
            close = html.find("</", at)
            at = size if close < 0 else close
