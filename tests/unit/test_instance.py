"""Keys of a development service: made once, kept private, rotated in place."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from preferences.config import Settings
from preferences.domain.errors import ConfigurationError
from preferences.instance import (
    KEY_LISTS,
    KEYS_FILE,
    holds_key,
    retire_instance_keys,
    rotate_instance_key,
    with_instance_keys,
)
from preferences.read_settings import read_settings


def _settings(folder: Path, **values: str) -> Settings:
    return with_instance_keys(read_settings(values, instance_path=folder))


def test_keys_are_made_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    first, second = _settings(folder), _settings(folder)
    assert first == second
    assert stat.S_IMODE((folder / KEYS_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    every_key = [*first.secret_keys, *first.link_keys, *first.data_keys, first.index_key, *first.seal_keys]
    assert len(set(every_key)) == 5
    assert all(len(key) == 32 for key in every_key)
    assert [path.name for path in folder.iterdir()] == [KEYS_FILE], "no half-written file stays behind"


def test_processes_that_start_together_end_up_with_the_same_keys(tmp_path: Path) -> None:
    found: list[Settings] = []
    threads = [threading.Thread(target=lambda: found.append(_settings(tmp_path / "instance"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({one.data_keys for one in found}) == 1


def test_key_given_by_the_environment_comes_before_the_folder(tmp_path: Path) -> None:
    key = "1" + "A" * 41 + "I="
    found = _settings(tmp_path, PREFERENCES_LINK_KEYS=key)
    assert not holds_key(found, "link_keys")
    assert holds_key(found, "data_keys")


def test_production_never_makes_keys(tmp_path: Path) -> None:
    from dataclasses import replace

    from preferences.config import Environment

    settings = replace(read_settings({}, instance_path=tmp_path / "instance"), env=Environment.PRODUCTION)
    assert with_instance_keys(settings) is settings
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize("name", KEY_LISTS)
def test_rotated_key_comes_last_and_older_ones_stay(tmp_path: Path, name: str) -> None:
    before = _settings(tmp_path)
    rotate_instance_key(tmp_path / KEYS_FILE, name)
    after = _settings(tmp_path)
    assert getattr(after, name)[:-1] == getattr(before, name)
    assert len(set(getattr(after, name))) == 2
    assert stat.S_IMODE((tmp_path / KEYS_FILE).stat().st_mode) == 0o600
    assert retire_instance_keys(tmp_path / KEYS_FILE, name) == 1
    assert getattr(_settings(tmp_path), name) == getattr(after, name)[-1:]


def test_index_key_is_never_rotated(tmp_path: Path) -> None:
    _settings(tmp_path)
    for change in (rotate_instance_key, retire_instance_keys):
        with pytest.raises(ConfigurationError, match="PREFERENCES_INDEX_KEY"):
            change(tmp_path / KEYS_FILE, "index_key")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "null", "{", '{"secret_keys": "x"}', '{"secret_keys": ["c2hvcnQ="]}', "\x00"]
)
def test_broken_file_stops_the_start_and_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / KEYS_FILE).write_text(content)
    with pytest.raises(ConfigurationError, match="restore it from a backup"):
        _settings(tmp_path)
    assert (tmp_path / KEYS_FILE).read_text() == content


def test_file_with_an_emptied_list_stops_the_start(tmp_path: Path) -> None:
    _settings(tmp_path)
    stored = json.loads((tmp_path / KEYS_FILE).read_text())
    (tmp_path / KEYS_FILE).write_text(json.dumps({**stored, "data_keys": []}))
    with pytest.raises(ConfigurationError):
        _settings(tmp_path)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="PREFERENCES_INSTANCE_PATH"):
        _settings(tmp_path / "file" / "instance")


def test_a_folder_from_before_there_were_seals_gets_its_key_once(tmp_path: Path) -> None:
    stored = json.loads(_file_of(tmp_path).read_text())
    del stored["seal_keys"]
    _file_of(tmp_path).write_text(json.dumps(stored))
    found: list[Settings] = []
    threads = [threading.Thread(target=lambda: found.append(_settings(tmp_path))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.seal_keys for one in found}) == 1
    assert {
        name: keys for name, keys in json.loads(_file_of(tmp_path).read_text()).items() if name != "seal_keys"
    } == stored


def _file_of(folder: Path) -> Path:
    _settings(folder) if not (folder / KEYS_FILE).exists() else None
    return folder / KEYS_FILE
