"""The keys of a service that was given none: generated once into `instance/keys.json` (mode 0600), development only."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

from preferences.config import PREFIX, Settings
from preferences.domain.errors import ConfigurationError

KEY_LISTS = ("secret_keys", "link_keys", "data_keys", "seal_keys")
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


def holds_key(settings: Settings, name: str) -> bool:
    """Whether this setting came from the instance folder; otherwise the environment has it and must be changed there."""
    path = settings.instance_path / KEYS_FILE
    if settings.is_production or not path.exists():
        return False
    return [_decode(key) for key in _load_or_create(path)[name]] == list(getattr(settings, name))


def rotate_instance_key(path: Path, name: str) -> None:
    """Append a fresh key to one list; older ones stay to verify and decrypt. Raises ConfigurationError for `index_key`."""
    _refuse_fixed(name)
    stored = _load_or_create(path)
    stored[name].append(generate_key())
    _write(path, stored)


def retire_instance_keys(path: Path, name: str) -> int:
    """Drop all keys of a list but the newest. Returns how many went. The caller has made sure that nothing needs them."""
    _refuse_fixed(name)
    stored = _load_or_create(path)
    dropped = len(stored[name]) - 1
    stored[name] = stored[name][-1:]
    _write(path, stored)
    return dropped


def _refuse_fixed(name: str) -> None:
    if name not in KEY_LISTS:
        raise ConfigurationError(PREFIX + name.upper(), "cannot be rotated: suppressions of erased people hang on it")


def _load_or_create(path: Path) -> dict[str, list[str]]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(path, {name: [generate_key()] for name in (*KEY_LISTS, "index_key")})
        text = path.read_text()
    except OSError as error:
        why = f"{path.parent} cannot be read or written ({error.strerror})"
        raise ConfigurationError(f"{PREFIX}INSTANCE_PATH", why) from error
    try:
        stored = _checked(json.loads(text))
        if "seal_keys" not in stored:
            stored = _add_seal_keys(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{PREFIX}INSTANCE_PATH", f"{path.name} in the instance folder cannot be read; restore it from a backup"
        ) from error
    return stored


def _checked(stored: dict[str, list[str]]) -> dict[str, list[str]]:
    """The keys as they are, all of them 32 bytes. Folders from before there were seals hold no key for them."""
    for name in (*KEY_LISTS, "index_key"):
        keys = stored.get(name, []) if name == "seal_keys" else stored[name]
        if any(len(_decode(key)) != 32 for key in keys) or not (keys or name not in stored):
            raise ValueError("a key is 32 bytes")
    return stored


def _add_seal_keys(path: Path) -> dict[str, list[str]]:
    """Give an older folder its key for seals; processes that start together take turns and end up with the same."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        stored = _checked(json.loads(path.read_text()))
        if "seal_keys" not in stored:
            stored = {**stored, "seal_keys": [generate_key()]}
            _write(path, stored)
        return stored
    finally:
        os.close(folder)


def _create(path: Path, stored: dict[str, list[str]]) -> None:
    """Make the file unless another process has just made it: two that start together must end up with the same keys."""
    fresh = _write_beside(path, stored)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def _write(path: Path, stored: dict[str, list[str]]) -> None:
    _write_beside(path, stored).replace(path)


def _write_beside(path: Path, stored: dict[str, list[str]]) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        json.dump(stored, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
