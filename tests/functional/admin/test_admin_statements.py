"""What each admin page asks of the database: so many statements at most, and no more when there is three times as much."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.models.training import TrainingRow
from preferences.models.transaction import transaction
from preferences.queries.staff.bursts import recent_bursts
from preferences.services.ledger.sealing import SealKeys, seal_next
from tests.factories import make_recipient
from tests.support.admin_places import admin_pages
from tests.support.client import HastyClient
from tests.support.crowd import gather
from tests.support.office import furnish
from tests.support.staff import StaffBrowser, signed_in
from tests.support.statements import statements

PAGES = {
    1: (
        "ask_again ask_to_erase header_doctor new_training show_act show_app show_invite show_password "
        "show_recovery_codes write_form write_purpose"
    ),
    2: (
        "add_participants_page ask_to_apply ask_to_archive_mailer ask_to_close_form ask_to_discard "
        "ask_to_revoke_key check_photos exports form_page forms recipients request_calendar requests retention "
        "staff write_endpoint write_key"
    ),
    3: (
        "account ask_to_announce ask_to_cancel_training ask_to_resume_training ask_to_rotate_key ask_to_unhook "
        "edit_training one_of_staff preview_purpose "
        "purposes review_notice show_set_up takedowns trainings"
    ),
    4: (
        "ask_for_endpoint_secret ask_to_archive ask_to_remove_endpoint audit imports mailer_hook mailer_hooks "
        "request_page seal_head_page write_text"
    ),
    5: "import_report policy seals show_columns show_endpoint_change takedown_page write_policy",
    6: "import_page training_page purpose_page purpose_version",
    7: "endpoint_page",
    8: "training_photo_list",
    9: "mailers policy_page",
    12: "burst_page mailer_page",
    18: "numbers today",
    19: "recipient_page",
    20: "review_retention",
    23: "take_their_copy",
    26: "service_settings",
}
"""How many statements a page takes, and which pages; the look at the session is one of them."""

MOST = {page: count for count, pages in PAGES.items() for page in pages.split()}
USUAL = 6
"""What a page that is not in the table may take."""

CATALOGUE = 3
"""Now and then a page reads the purposes anew, which takes so many more."""

GROWS = {"evidence_of": "a file, in which every entry has its receipt and its proof"}


def asked(app: Flask, who: StaffBrowser, pages: dict[str, str]) -> dict[str, int]:
    """Statements by page."""
    counted = {}
    for name, path in pages.items():
        with statements(app) as seen:
            answer = who.get(path)
        assert answer.status_code in {200, 303}, f"{path}: {answer.status}"
        counted[name] = len(seen)
    return counted


def test_pages_ask_for_no_more_when_there_is_three_times_as_much(app: Flask, session: Session) -> None:
    client, app.test_client_class = app.test_client_class, HastyClient
    busy = make_recipient(session, "busy@example.se")
    furnish(session, 1, 6)
    gather(session, 1, 9, busy=busy)
    with transaction() as sealing:
        seal_next(sealing, SealKeys(app.extensions["preferences.settings"].seal_keys), now=datetime.now(UTC))
    who = signed_in(app, session, Role.ADMINISTRATOR)
    (burst, *_) = recent_bursts(session, now=datetime.now(UTC))
    training = session.scalars(select(TrainingRow.id).order_by(TrainingRow.held_on.desc())).first()
    assert training is not None
    pages = admin_pages(app, session, person=format_recipient_id(busy.id), burst=burst.key, training=training)
    before = asked(app, who, pages)
    furnish(session, 7, 12)
    gather(session, 10, 18, busy=busy)
    after = asked(app, who, pages)
    more = {one: pages[one] for one, count in after.items() if count > before[one]}
    after.update(
        asked(app, who, more)
    )  # what is read anew after a while, on a slow machine, is not read twice in a row
    app.test_client_class = client
    grown = {one: (count, before[one]) for one, count in after.items() if count > before[one] + CATALOGUE}
    assert {one: counts for one, counts in grown.items() if one not in GROWS} == {}
    over = {one: count for one, count in after.items() if count > MOST.get(one, USUAL) + CATALOGUE}
    assert {one: count for one, count in over.items() if one not in GROWS} == {}
    assert set(MOST) <= set(pages), "a page in the table is gone"
