"""The local mailbox on disk."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from preferences.integrations.mailbox import Mailbox

RAW = b"Subject: Hej\r\nTo: a@example.se\r\n\r\nText.\r\n"


def test_a_message_is_kept_byte_by_byte_for_its_owner_only(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mailbox")
    found = box.find(box.deliver(RAW))
    assert found is not None
    assert found.raw == RAW
    (file,) = (tmp_path / "mailbox").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_newest_comes_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    ids = [box.deliver(RAW, now=start + timedelta(seconds=number)) for number in range(5)]
    assert [one.id for one in box.newest(3)] == ids[::-1][:3]


def test_many_deliveries_at_once_lose_nothing(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    now = datetime(2025, 1, 1, tzinfo=UTC)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: box.deliver(RAW, now=now), range(100)))
    assert len(set(ids)) == len(box.newest()) == 100


@pytest.mark.parametrize(
    "name",
    ["", "..", "../keys.json", "/etc/passwd", "20250101T000000000000-0000000g", "20250101T000000000000-00000000\n"],
)
def test_nothing_but_an_id_finds_anything(tmp_path: Path, name: str) -> None:
    (tmp_path / "keys.json").write_text("secret")
    assert Mailbox(tmp_path / "mailbox").find(name) is None


def test_an_empty_or_absent_mailbox_has_no_mail(tmp_path: Path) -> None:
    assert Mailbox(tmp_path / "absent").newest() == []


def test_foreign_files_and_half_written_ones_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "notes.eml").write_bytes(RAW)
    (tmp_path / ".20250101T000000000000-00000000.new").write_bytes(RAW)
    assert Mailbox(tmp_path).newest() == []
