"""Purposes as a company writes them: one TOML or JSON file each, read strictly. See docs/purposes.md."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, TypeVar

from preferences.domain.errors import InvalidValue
from preferences.domain.purpose import About, LawfulBasis, NoticeText, check_texts

from .purposes import NewPurpose

MAX_BYTES = 256 * 1024
FIELDS = {"key", "about", "lawful_basis", "customer_exception", "parent", "position", "texts"}
TEXT_FIELDS = [field.name for field in fields(NoticeText) if field.name != "locale"]

V = TypeVar("V", bound=StrEnum)


def read_definition(name: str, content: bytes) -> NewPurpose:
    """The purpose that a file defines; `name` says by its ending whether it is JSON, else TOML. Raises InvalidValue."""
    if len(content) > MAX_BYTES:
        raise InvalidValue(f"{name} is larger than {MAX_BYTES // 1024} kB.")
    try:
        text = content.decode("utf-8-sig")
        data = json.loads(text, object_pairs_hook=_no_twins) if name.endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{name} cannot be read: {_first_line(error)}.") from error
    if not isinstance(data, dict):
        raise InvalidValue(f"{name} must hold one table of fields.")
    return parse_definition(data)


def parse_definition(data: Mapping[str, Any]) -> NewPurpose:
    """The purpose that these fields define. Raises InvalidValue with a pointer to the first wrong field."""
    for unknown in set(data) - FIELDS:
        raise InvalidValue(f"There is no field named {unknown[:40]!r}.", pointer=f"/{unknown[:40]}")
    return NewPurpose(
        key=_text(data, "key"),
        about=_one_of(About, data, "about"),
        lawful_basis=_one_of(LawfulBasis, data, "lawful_basis"),
        customer_exception=_of_type(
            bool, data.get("customer_exception", False), "/customer_exception", "true or false"
        ),
        parent_key=_text(data, "parent") if data.get("parent") is not None else None,
        position=_position(data.get("position", 0)),
        texts=_texts(data.get("texts")),
    )


def _texts(data: Any) -> list[NoticeText]:
    texts = []
    for locale, entry in _of_type(dict, data, "/texts", "a table with a language each").items():
        where = f"/texts/{locale[:16]}"
        _of_type(dict, entry, where, f"a table of {', '.join(TEXT_FIELDS)}")
        for unknown in set(entry) - set(TEXT_FIELDS):
            raise InvalidValue(f"There is no field named {unknown[:40]!r}.", pointer=f"{where}/{unknown[:40]}")
        texts.append(NoticeText(locale=locale, **{name: _text(entry, name, where).strip() for name in TEXT_FIELDS}))
    check_texts(texts)
    return texts


def _text(data: Mapping[str, Any], name: str, where: str = "") -> str:
    return _of_type(str, data.get(name), f"{where}/{name}", "text, and is required")


def _one_of(values: type[V], data: Mapping[str, Any], name: str) -> V:
    found = _text(data, name)
    if found not in set(values):
        raise InvalidValue(f"`{name}` must be one of {', '.join(values)}.", pointer=f"/{name}")
    return values(found)


def _position(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 32767:
        raise InvalidValue("`position` must be a whole number from 0 to 32767.", pointer="/position")
    return value


T = TypeVar("T")


def _of_type(kind: type[T], value: Any, pointer: str, must_be: str) -> T:
    if not isinstance(value, kind):
        raise InvalidValue(f"`{pointer.rpartition('/')[2]}` must be {must_be}.", pointer=pointer)
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field stands there twice")
    return dict(pairs)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
