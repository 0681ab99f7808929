"""The keys of a service that was given none: generated once into `instance/keys.json` (mode 0600), development only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

from preferences.config import Settings
from preferences.domain.errors import ConfigurationError

KEY_LISTS = ("secret_keys", "link_keys", "data_keys")
KEYS_FILE = "keys.json"


def generate_key() -> str:
    """32 random bytes as base64url text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def with_instance_keys(settings: Settings) -> Settings:
    """The settings with absent keys filled from the instance folder, which is made on first use."""
    absent = [name for name in (*KEY_LISTS, "index_key") if not getattr(settings, name)]
    if not absent or settings.is_production:
        return settings
    stored = _load_or_create(settings.instance_path / KEYS_FILE)
    found: dict[str, object] = {}
    for name in absent:
        found[name] = _decode(stored[name][0]) if name == "index_key" else tuple(_decode(key) for key in stored[name])
    return replace(settings, **found)  # type: ignore[arg-type]


def rotate_instance_key(path: Path, name: str) -> None:
    """Append a fresh key to one list; older ones stay to verify and decrypt. Raises ConfigurationError for `index_key`."""
    if name not in KEY_LISTS:
        raise ConfigurationError(name.upper(), "cannot be rotated: suppressions of erased people hang on it")
    stored = _load_or_create(path)
    stored[name].append(generate_key())
    _write(path, stored)


def _load_or_create(path: Path) -> dict[str, list[str]]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _write(path, {name: [generate_key()] for name in (*KEY_LISTS, "index_key")})
    try:
        stored: dict[str, list[str]] = json.loads(path.read_text())
        for name in (*KEY_LISTS, "index_key"):
            [_decode(key) for key in stored[name]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            "LINK_KEYS", f"{path.name} in the instance folder cannot be read; restore it from a backup"
        ) from error
    return stored


def _write(path: Path, stored: dict[str, list[str]]) -> None:
    fresh = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(stored, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
