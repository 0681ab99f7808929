"""Reads the settings from environment variables, and refuses what is misspelt, malformed or unsafe by the variable's name."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

from preferences.config import PREFIX, Environment, Settings
from preferences.domain.errors import ConfigurationError
from preferences.safe_settings import problems


def read_settings(environ: Mapping[str, str], *, instance_path: Path) -> Settings:
    """Settings from environment variables. Raises ConfigurationError naming the variable; unknown `PREFERENCES_` ones too."""
    known = get_type_hints(Settings)
    values: dict[str, Any] = {"instance_path": instance_path}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(f"{PREFIX}TEST_"):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            raise ConfigurationError(variable, "there is no such setting; see docs/settings.md")
        if text.strip():
            values[name] = _parse(variable, known[name], text.strip())
    settings = Settings(**_with_development_defaults(values))
    for name, why in problems(settings):
        raise ConfigurationError(PREFIX + name.upper(), why)
    return settings


def _with_development_defaults(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("env") is not Environment.PRODUCTION:
        values.setdefault("database_url", f"sqlite:///{values['instance_path'] / 'preferences.db'}")
        values.setdefault("base_url", f"http://127.0.0.1:{values.get('port', 8080)}")
    return values


def _parse(variable: str, kind: Any, text: str) -> Any:
    def refuse(why: str) -> NoReturn:
        raise ConfigurationError(variable, f"{why}; see docs/settings.md")

    if any(not character.isprintable() for character in text):
        refuse("holds a control character")
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(text) if text in set(kind) else refuse(f"must be one of {', '.join(kind)}")
    if kind is int:
        return int(text) if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) else refuse("must be a whole number")
    if kind in {bytes, tuple[bytes, ...]}:
        try:
            found = tuple(_key(part) for part in text.split(",") if part.strip())
        except ValueError:
            refuse("every key must be 32 bytes in base64, 44 characters")
        if kind is bytes and len(found) != 1:
            refuse("must be one key")
        return found[0] if kind is bytes else found
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is Path:
        return Path(text)
    return text.rstrip("/") if variable == f"{PREFIX}BASE_URL" else text


def _key(text: str) -> bytes:
    key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    if len(key) != 32:
        raise ValueError("a key is 32 bytes")
    return key
