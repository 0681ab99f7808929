"""The header doctor: raw bytes of a message in, findings out. It never raises, whatever it is given, and looks nothing up.

It judges the bytes, not a parsed message: what damages one-click (encoding, folds, a signature that leaves a header out) is
what parsers quietly repair (T8, T9). docs/header-doctor.md tells of every code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from .header_doctor_codes import Code, Finding, Severity
from .header_doctor_dkim import dkim_findings
from .header_doctor_list import list_findings, one_click_url
from .raw_message import MOST_BYTES, RawMessage, TooDeep, read_message, text_parts
from .visible_links import Link, links_in_html, links_in_text

_UNSUBSCRIBE_WORDS = (
    *("unsubscribe", "opt out", "opt-out", "preferences", "manage your"),
    *("avregistrera", "avanmäl", "avbryt", "avsluta", "sluta få", "inställningar", "mina val", "utskick"),
)
_PRECEDENCES = frozenset({"bulk", "list"})
_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything found, the worst first. `one_click_url` is where a mail program would post to; keep it out of logs."""

    findings: tuple[Finding, ...]
    one_click_url: str | None

    def count(self, severity: Severity) -> int:
        """How many findings are this bad."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found that breaks one-click."""
        return self.count(Severity.ERROR) == 0


def examine(raw: bytes) -> Diagnosis:
    """Judge a message. What is larger than MOST_BYTES is not read further than its headers."""
    message = read_message(raw[:MOST_BYTES])
    found = dict.fromkeys(_findings(message, is_cut=len(raw) > MOST_BYTES))
    return Diagnosis(
        tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity))),
        one_click_url(message),
    )


def _findings(message: RawMessage, *, is_cut: bool) -> Iterator[Finding]:
    if is_cut:
        yield Finding(Code.MESSAGE_TOO_LARGE)
    if not message.fields:
        yield Finding(Code.HEADERS_MISSING)
        return
    if not message.is_whole:
        yield Finding(Code.HEADERS_BROKEN)
    yield from list_findings(message)
    yield from _robots(message)
    if not is_cut:
        yield from dkim_findings(message)
        yield from _bodies(message)


def _robots(message: RawMessage) -> Iterator[Finding]:
    """Precedence and Auto-Submitted: what keeps holiday replies away (RFC 3834 §5)."""
    precedence, automatic = message.first("precedence").lower(), message.first("auto-submitted").lower()
    if precedence and precedence not in _PRECEDENCES:
        yield Finding(Code.PRECEDENCE_ODD)
    if automatic.split(";")[0].strip() not in {"", "no", "auto-generated"}:
        yield Finding(Code.AUTO_SUBMITTED_ODD)
    if not precedence and automatic in {"", "no"}:
        yield Finding(Code.AUTO_SUBMITTED_MISSING)


def _bodies(message: RawMessage) -> Iterator[Finding]:
    """Whether a reader of either body sees how to unsubscribe (M8)."""
    try:
        parts = text_parts(message)
    except TooDeep:
        yield Finding(Code.MIME_TOO_DEEP)
        return
    target = one_click_url(message)
    texts = [part.text for part in parts if part.subtype == "plain"]
    pages = [part.text for part in parts if part.subtype == "html"]
    in_text = bool(texts) and any(_leads_out(link, target) for link in links_in_text(texts[0]))
    in_html = bool(pages) and any(_leads_out(link, target) for link in links_in_html(pages[0]))
    if not texts:
        yield Finding(Code.TEXT_MISSING)
    if not pages:
        yield Finding(Code.HTML_MISSING)
    if not in_text and not in_html:
        yield Finding(Code.LINK_MISSING)
    elif texts and not in_text:
        yield Finding(Code.TEXT_LINK_MISSING)
    elif pages and not in_html:
        yield Finding(Code.HTML_LINK_MISSING)


def _leads_out(link: Link, target: str | None) -> bool:
    """A link to where the header leads, or one whose words say what it is for."""
    if target is not None and _host(link.url) == _host(target) != "":
        return True
    words = link.words.lower()
    return link.url.lower().startswith(("http:", "https:")) and any(word in words for word in _UNSUBSCRIBE_WORDS)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
