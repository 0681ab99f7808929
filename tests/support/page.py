"""Reads a rendered page as a person does: words, controls, buttons. Parsed by html5lib, as strictly as a validator would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from werkzeug.test import TestResponse

from .client import StrictClient
from .html import tree


class Page:
    """One page. Elements are looked up by tag and attributes."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.html = response.get_data(as_text=True)
        self.root: Element = tree(response)

    @property
    def text(self) -> str:
        """All words of the body, with single spaces."""
        body = self.root.find("body")
        assert body is not None
        return words(body)

    @property
    def title(self) -> str:
        """The title."""
        return words(self.find("title"))

    @property
    def language(self) -> str:
        """What `<html lang>` says."""
        return self.root.get("lang", "")

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Every element with this tag and these attributes, in the order of the page."""
        return list(_matching(self.root, tag, attributes))

    def find(self, tag: str, **attributes: str) -> Element:
        """The first such element; there must be one."""
        found = self.all(tag, **attributes)
        assert found, f"no <{tag}> with {attributes}"
        return found[0]

    def forms(self) -> list[Form]:
        """The forms, in the order of the page."""
        return [Form(element) for element in self.all("form")]

    def acting_forms(self) -> list[Form]:
        """The forms that change a choice: all but the optional question why somebody stopped, and the receipt by mail."""
        others = [form for form in self.forms() if not form.path.startswith("/r/")]
        return [form for form in others if not form.path.partition("?")[0].endswith("/receipt")]

    def form(self, action: str) -> Form:
        """The form whose hidden field `action` says this; there must be exactly one."""
        found = [form for form in self.forms() if form.fields.get("action") == action]
        assert len(found) == 1, f"{len(found)} forms for {action}"
        return found[0]

    def answers(self) -> dict[str, str]:
        """What the page shows as answered: yes, no, or unset where no radio is ticked."""
        found: dict[str, str] = {}
        for radio in self.all("input", type="radio"):
            name = radio.get("name", "")
            if name.startswith("answer-"):
                key = name.removeprefix("answer-")
                found.setdefault(key, "unset")
                if "checked" in radio.attrib:
                    found[key] = radio.get("value", "")
        return found

    def choice(self, key: str) -> str:
        """The words of one control."""
        return words(self.find("fieldset", id=f"choice-{key}"))

    def position(self, text: str) -> int:
        """Where these words stand on the page."""
        at = self.text.find(text)
        assert at >= 0, f"{text!r} is not on the page"
        return at


@dataclass(frozen=True)
class Form:
    """A form as a browser would send it."""

    element: Element

    @property
    def path(self) -> str:
        """Where it goes."""
        assert self.element.get("method") == "post"
        return self.element.get("action", "")

    @property
    def fields(self) -> dict[str, str]:
        """Hidden fields, and radios that are ticked."""
        found: dict[str, str] = {}
        for field in self.element.iter("input"):
            if field.get("type") != "radio" or "checked" in field.attrib:
                found[field.get("name", "")] = field.get("value", "")
        return found

    def submit(self, client: StrictClient, changes: Mapping[str, str] | None = None) -> TestResponse:
        """Send it, with some fields changed or added."""
        return client.post(self.path, data=self.fields | dict(changes or {}))


def get(client: StrictClient, path: str, **headers: str) -> Page:
    """The page at this path."""
    return Page(client.get(path, headers=headers))


def follow(client: StrictClient, response: TestResponse) -> Page:
    """The page a 303 leads to."""
    assert response.status_code == 303, response.status
    target = urlsplit(response.headers["Location"])
    return Page(client.get(target.path + (f"?{target.query}" if target.query else "")))


def words(element: Element) -> str:
    """The text of an element with single spaces; `<wbr>` parts no word."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for one in element:
        is_break = one.tag == "wbr"
        yield "" if is_break else " "
        yield from _texts(one)
        yield "" if is_break else " "
        yield one.tail or ""


def _matching(root: Element, tag: str, attributes: dict[str, str]) -> Iterator[Element]:
    for element in root.iter(tag):
        if all(element.get(name) == value for name, value in attributes.items()):
            yield element
