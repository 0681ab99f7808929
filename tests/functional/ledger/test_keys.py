"""Keys rotate without anything becoming unreadable: rotate, re-encrypt beside live writes, retire, still found (L14)."""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, select, text, type_coerce, update
from sqlalchemy.orm import Session

from app import create_app
from preferences.config import Settings
from preferences.domain.acts import Act, Actor
from preferences.domain.address import parse_address
from preferences.domain.capability import Capability, LinkSigner
from preferences.models import crypto
from preferences.models.crypto import Keyring, UnreadableValue, keyring, use_keyring
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind, open_part, seal_part
from preferences.models.ledger import EvidenceRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import recipient_by_address, recipient_by_id
from preferences.services.upkeep.rotation import count_older, encrypted_columns, re_encrypt_batch
from tests.factories import act, link, make_recipient


@pytest.fixture
def settings(app: Flask) -> Iterator[Settings]:
    """The settings of the service; the keys of the process are put back afterwards."""
    before = keyring()
    yield app.extensions["preferences.settings"]
    use_keyring(before)


def _rotate(settings: Settings) -> Keyring:
    """The keys of a service that was restarted with one more data key."""
    use_keyring(Keyring([*settings.data_keys, b"N" * 32], settings.index_key))
    return keyring()


def _newest_alone(settings: Settings) -> None:
    use_keyring(Keyring([b"N" * 32], settings.index_key))


def _left(session: Session) -> int:
    left = sum(count_older(session, column) for column in encrypted_columns())
    session.commit()
    return left


def test_old_key_can_be_retired_after_re_encryption(app: Flask, session: Session, settings: Settings) -> None:
    people = [make_recipient(session, f"r{n}@example.se", name=f"Person {n}", external_id=f"K{n}") for n in range(7)]
    entry_id = act(session, people[0], "marketing", Act.GIVEN, evidence={"source": "mässa"})
    _rotate(settings)
    assert _left(session) == 7 * 3 + 1
    ran = app.test_cli_runner().invoke(args=["keys", "re-encrypt", "--batch", "2", "--json"])
    assert json.loads(ran.stdout) == {"changed": 22, "unreadable": {}, "left": 0}
    _newest_alone(settings)
    session.expire_all()
    for number, person in enumerate(people):
        found = recipient_by_address(session, parse_address(f"R{number}@EXAMPLE.se"))
        assert found == person
        assert (found.name, found.external_id) == (f"Person {number}", f"K{number}")
    evidence = session.get(EvidenceRow, entry_id)
    assert evidence is not None
    assert evidence.content["source"] == "mässa"


def test_value_bound_to_its_row_is_re_encrypted_for_that_row(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    batch = ImportBatchRow(
        stage=ImportStage.RECEIVED,
        filename="a.csv",
        reading={},
        actor=Actor.SYSTEM,
        planned={},
        applied={},
        created_at=now,
    )
    session.add(batch)
    session.flush()
    for number in range(3):
        content = seal_part(b"rows", batch.id, PartKind.FILE, number)
        session.add(ImportPartRow(import_id=batch.id, kind=PartKind.FILE, number=number, content=content))
    session.commit()
    _rotate(settings)
    ran = app.test_cli_runner().invoke(args=["keys", "re-encrypt", "--batch", "1", "--json"])
    assert json.loads(ran.stdout) == {"changed": 3, "unreadable": {}, "left": 0}
    _newest_alone(settings)
    session.expire_all()
    for part in session.scalars(select(ImportPartRow)):
        assert open_part(part.content, part.import_id, part.kind, part.number) == b"rows"
        with pytest.raises(UnreadableValue):
            open_part(part.content, part.import_id, part.kind, part.number + 1)


def test_second_run_has_nothing_left_to_do(app: Flask, session: Session, settings: Settings) -> None:
    make_recipient(session, name="Anna")
    _rotate(settings)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["keys", "re-encrypt"]).stdout == "2 values re-encrypted, 0 left under older keys.\n"
    assert runner.invoke(args=["keys", "re-encrypt"]).stdout == "0 values re-encrypted, 0 left under older keys.\n"


def test_run_that_was_broken_off_goes_on_where_it_stopped(session: Session, settings: Settings) -> None:
    for number in range(5):
        make_recipient(session, f"r{number}@example.se")
    _rotate(settings)
    address = next(one for one in encrypted_columns() if one.where == "recipients.address")
    assert re_encrypt_batch(session, address, after=None, limit=2).changed == 2
    session.commit()
    assert _left(session) == 3
    again = re_encrypt_batch(session, address, after=None, limit=10)
    assert (again.changed, again.last) == (3, None)
    session.commit()
    assert _left(session) == 0


def test_value_written_meanwhile_is_not_overwritten(session: Session, settings: Settings) -> None:
    """The batch replaces a value only while it still is what was read."""
    anna = make_recipient(session, name="Anna")
    old = bytes(session.execute(text("SELECT name FROM recipients")).scalar_one())
    _rotate(settings)
    name = next(one for one in encrypted_columns() if one.where == "recipients.name")
    from preferences.services.upkeep.rotation import _replacing

    session.execute(update(RecipientRow).where(RecipientRow.id == anna.id).values(name="Anna Ny"))
    stale = {"key_0": anna.id, "old": old, "new": keyring().encrypt(b"Anna", b"recipients.name")}
    session.connection().execute(_replacing(name), [stale])
    session.commit()
    found = recipient_by_id(session, anna.id)
    assert found is not None
    assert found.name == "Anna Ny"


def test_re_encryption_beside_live_writes_loses_none_of_them(app: Flask, session: Session, settings: Settings) -> None:
    people = [make_recipient(session, f"r{n}@example.se", name="before") for n in range(40)]
    _rotate(settings)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for person in people:
                with app.app_context(), transaction() as own:
                    own.execute(update(RecipientRow).where(RecipientRow.id == person.id).values(name="after"))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    ran = app.test_cli_runner().invoke(args=["keys", "re-encrypt", "--batch", "3"])
    thread.join()
    assert failures == []
    assert ran.exit_code == 0
    _newest_alone(settings)
    session.expire_all()
    found = [recipient_by_id(session, person.id) for person in people]
    assert {one.name for one in found if one} == {"after"}


def test_value_that_no_key_opens_is_told_and_left_alone(app: Flask, session: Session, settings: Settings) -> None:
    anna = make_recipient(session, name="Anna")
    lost = Keyring([b"L" * 32], settings.index_key).encrypt(b"Anna", b"recipients.name")
    session.execute(update(RecipientRow).values(name=type_coerce(lost, LargeBinary)))
    session.commit()
    _rotate(settings)
    ran = app.test_cli_runner().invoke(args=["keys", "re-encrypt", "--batch", "1"])
    assert ran.exit_code == 1
    assert ran.stdout == "1 values re-encrypted, 1 left under older keys.\n"
    assert "no key of PREFERENCES_DATA_KEYS opens these values: 1 in recipients.name" in ran.stderr
    assert bytes(session.execute(text("SELECT name FROM recipients")).scalar_one()) == lost
    session.commit()
    refused = app.test_cli_runner().invoke(args=["keys", "retire", "data"])
    assert refused.exit_code == 1
    assert (
        refused.stderr
        == "Error: older data keys are still needed (1 in recipients.name): run `keys re-encrypt` first\n"
    )
    with pytest.raises(UnreadableValue):
        recipient_by_id(session, anna.id)


def test_links_of_rotated_keys_still_open(session: Session, settings: Settings) -> None:
    token = link(make_recipient(session))
    rotated = LinkSigner([*settings.link_keys, b"L" * 32])
    assert rotated.open(token, Capability.UNSUBSCRIBE)


def test_generated_keys_are_settings_that_can_be_used(app: Flask) -> None:
    ran = app.test_cli_runner().invoke(args=["keys", "generate"])
    found = dict(re.findall(r"^(PREFERENCES_[A-Z_]+)=(\S{44})$", ran.stdout, re.MULTILINE))
    assert list(found) == [
        f"PREFERENCES_{one}" for one in ("SECRET_KEYS", "LINK_KEYS", "DATA_KEYS", "INDEX_KEY", "SEAL_KEYS")
    ]
    assert {len(base64.urlsafe_b64decode(key)) for key in found.values()} == {32}
    assert len(set(found.values())) == 5
    one = app.test_cli_runner().invoke(args=["keys", "generate", "link", "--json"])
    assert list(json.loads(one.stdout)) == ["PREFERENCES_LINK_KEYS"]


def test_keys_given_by_the_environment_are_rotated_there(app: Flask) -> None:
    ran = app.test_cli_runner().invoke(args=["keys", "rotate", "link"])
    assert ran.exit_code == 0
    assert re.fullmatch(r"PREFERENCES_LINK_KEYS=\$\{PREFERENCES_LINK_KEYS\},\S{44}\n", ran.stdout)
    assert "restart every process" in ran.stderr
    settings = app.extensions["preferences.settings"]
    for key in (*settings.link_keys, *settings.data_keys):
        assert base64.urlsafe_b64encode(key).decode() not in ran.output, "present keys are never printed"


@pytest.mark.parametrize(
    "arguments", [["rotate"], ["rotate", "password"], ["retire", "link"], ["re-encrypt", "--batch", "0"]]
)
def test_wrong_use_is_refused_with_usage(app: Flask, arguments: list[str]) -> None:
    ran = app.test_cli_runner().invoke(args=["keys", *arguments])
    assert ran.exit_code == 2
    assert "Error: " in ran.stderr


def test_index_key_cannot_be_rotated(app: Flask) -> None:
    ran = app.test_cli_runner().invoke(args=["keys", "rotate", "index"])
    assert ran.exit_code == 1
    assert ran.stderr.startswith("Error: PREFERENCES_INDEX_KEY: cannot be rotated")


def test_development_service_rotates_and_retires_in_its_own_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """End to end with the real application, restarted for every step."""
    folder = tmp_path_factory.mktemp("instance")
    before = crypto._keyring

    def run(*arguments: str) -> str:
        application = create_app({}, instance_path=folder)
        with application.app_context():
            ran = application.test_cli_runner().invoke(args=list(arguments))
            assert ran.exit_code == 0, ran.output
            application.extensions["sqlalchemy"].engine.dispose()
        return ran.stdout

    def keys() -> dict[str, list[str]]:
        stored: dict[str, list[str]] = json.loads((folder / "keys.json").read_text())
        return stored

    try:
        run("setup")
        application = create_app({}, instance_path=folder)
        with application.app_context():
            with transaction() as session:
                make_recipient(session, f"{secrets.token_hex(4)}@example.se", name="Anna")
            application.extensions["sqlalchemy"].engine.dispose()
        first = keys()["data_keys"]
        run("keys", "rotate", "data")
        assert keys()["data_keys"][:1] == first
        assert len(keys()["data_keys"]) == 2
        assert run("keys", "re-encrypt") == "2 values re-encrypted, 0 left under older keys.\n"
        assert "1 old data keys dropped" in run("keys", "retire", "data")
        assert len(keys()["data_keys"]) == 1
        assert keys()["data_keys"] != first
        assert run("keys", "re-encrypt") == "0 values re-encrypted, 0 left under older keys.\n"
    finally:
        crypto._keyring = before
