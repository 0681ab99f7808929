"""Staff find people exactly, see where they stand, and act for them as staff: never as the person, never lifting (T11, L2)."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.audit import AuditAction
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.models.audit import AuditRow
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, make_recipient, purpose
from tests.support.page import Page
from tests.support.rights import send_all
from tests.support.staff import StaffBrowser, audited, signed_in


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody with a name, an external id and a consent."""
    found = make_recipient(session, locale="sv", name="Anna Ö", external_id="kund-7")
    act(session, found, "marketing", method=Method.DOUBLE_OPT_IN)
    return found


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def path(one: RecipientView) -> str:
    return f"/admin/recipients/{format_recipient_id(one.id)}"


def entries(session: Session) -> list[LedgerEntryRow]:
    session.rollback()
    found = list(session.scalars(select(LedgerEntryRow).order_by(LedgerEntryRow.id)))
    session.expunge_all()
    session.rollback()
    return found


def audit_rows(session: Session) -> list[AuditRow]:
    session.rollback()
    found = list(session.scalars(select(AuditRow).order_by(AuditRow.id)))
    session.expunge_all()
    session.rollback()
    return found


def found_on(officer: StaffBrowser, query: str) -> bool:
    return "Anna Ö" in officer.get(f"/admin/recipients?{query}").text


@pytest.mark.parametrize("text", ["ANNA@example.se", " anna@example.se ", "@example.se", "kund-7", "the id"])
def test_people_are_found_by_the_whole_address_domain_or_id(
    officer: StaffBrowser, session: Session, anna: RecipientView, text: str
) -> None:
    make_recipient(session, "bo@other.se", name="Bo")
    page = Page(
        officer.get("/admin/recipients", query_string={"text": format_recipient_id(anna.id) if "the" in text else text})
    )
    assert "Anna Ö" in page.text
    assert "Bo" not in [cell.text for cell in page.all("td")]


@pytest.mark.parametrize("text", ["anna", "anna@", "@", "@exam", "%", "' OR 1=1 --", "x" * 3000, "å@å", "kund"])
def test_nothing_is_found_in_part(officer: StaffBrowser, anna: RecipientView, text: str) -> None:
    answer = officer.get("/admin/recipients", query_string={"text": text})
    assert answer.status_code == 200
    assert "Anna Ö" not in answer.text


def test_filters_stand_in_the_address(officer: StaffBrowser, session: Session, anna: RecipientView) -> None:
    marketing, surveys = purpose(session, "marketing").id, purpose(session, "surveys").id
    today = datetime.now(UTC).date()
    for query, fits in {
        f"purpose={marketing}": True,
        f"purpose={surveys}": False,
        "act=given": True,
        "act=refused": False,
        f"purpose={marketing}&act=given": True,
        f"purpose={surveys}&act=given": False,
        "method=double_opt_in": True,
        "method=import": False,
        f"purpose={marketing}&act=given&method=double_opt_in&status=active&since={today}&until={today}&text=kund-7": True,
        f"purpose={marketing}&act=given&method=import": False,
        f"purpose={surveys}&method=double_opt_in": False,
        f"since={today}&until={today}&method=double_opt_in": True,
        f"since={today + timedelta(days=2)}": False,
        f"since={today}&until={today - timedelta(days=1)}": False,
        "status=active": True,
        "status=erased": False,
        "text=@example.se&status=restricted": False,
        "status=x&act=x&method=x&purpose=x&since=x&until=9999-12-31&before=x": True,
        f"before={2**63 - 1}&message={'9' * 19}&purpose={'9' * 5000}": True,
        f"before={2**63}": True,
        "before=0": False,
    }.items():
        assert found_on(officer, query) is fits, query
    nobody = officer.get("/admin/recipients?text=nobody@example.se").text
    assert "Ingen passar." in nobody
    assert 'value="nobody@example.se"' in nobody
    (entry,) = [one for one in audit_rows(session) if one.data == {"by": ["text", "status"]}]
    assert (entry.action, entry.object_id) == (AuditAction.RECIPIENTS_SEARCHED, None)


def test_where_they_stand_is_found_by_the_act_that_it_stands_by(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing", Act.WITHDRAWN, method=Method.ONE_CLICK)
    act(session, anna, "marketing", Act.GIVEN, method=Method.DOUBLE_OPT_IN)
    act(session, anna, "marketing", Act.WITHDRAWN, method=Method.MAILTO)
    assert found_on(officer, "act=withdrawn&method=mailto")
    assert not found_on(officer, "act=withdrawn&method=one_click")
    assert found_on(officer, "method=one_click")


def test_a_viewer_sees_no_address_and_no_name(app: Flask, session: Session, anna: RecipientView) -> None:
    viewer = signed_in(app, session, Role.VIEWER)
    for page in ("/admin/recipients", path(anna)):
        text = viewer.get(page).text
        assert "anna@example.se" not in text
        assert "Anna Ö" not in text
        assert "kund-7" not in text
        assert "a•••@e•••.se" in text


def test_long_lists_come_in_pages_though_ids_have_nineteen_digits(officer: StaffBrowser, session: Session) -> None:
    for number in range(52):
        make_recipient(session, f"p{number}@example.se", id=2**63 - 53 + number)
    first = Page(officer.get("/admin/recipients?text=@example.se"))
    older = [one.get("href", "") for one in first.all("a") if "before=" in one.get("href", "")]
    rest = Page(officer.get(older[0]))
    assert [len(page.all("th", scope="row")) for page in (first, rest)] == [50, 2]


def test_the_page_tells_everything_and_that_it_was_read(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    page = Page(officer.get(path(anna)))
    for words in ("anna@example.se", "kund-7", "Bekräftat från brevlådan", "Samtyckte"):
        assert words in page.text
    assert audited(session)[-1] == "recipient_seen"


def test_a_no_on_behalf_counts_at_once_as_done_by_staff(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    form = {
        "said": "no",
        "purpose": str(purpose(session, "marketing").id),
        "told": "phone",
        "reason": "Ringde i dag.",
    }
    assert officer.post(f"{path(anna)}/act", form).location == f"{path(anna)}?done=recorded"
    last = entries(session)[-1]
    assert (last.act, last.method, last.actor, last.actor_id) == (
        Act.WITHDRAWN,
        Method.STAFF,
        Actor.STAFF,
        officer.staff.id,
    )
    assert "acted_on_behalf" in audited(session)


def test_everything_can_be_stopped_and_we_can_stop_ourselves(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    events = str(purpose(session, "events").id)
    officer.post(f"{path(anna)}/act", {"said": "our_stop", "purpose": events, "reason": "Fel lista."})
    officer.post(f"{path(anna)}/act", {"said": "stop_everything", "told": "letter", "reason": "Brev."})
    assert [one.act for one in entries(session)][-2:] == [Act.REVOKED, Act.OBJECTED]
    assert "har stoppat allt" in officer.get(path(anna)).text


def test_a_yes_needs_proof_and_keeps_it(officer: StaffBrowser, session: Session, anna: RecipientView) -> None:
    form = {"said": "yes", "purpose": str(purpose(session, "surveys").id), "told": "form", "reason": "Blankett."}
    assert officer.post(f"{path(anna)}/act", form).status_code == 422
    form |= {"proof": "Pärm 3, blad 17", "wording": "Ja tack", "occurred_on": "2026-01-05"}
    assert officer.post(f"{path(anna)}/act", form).status_code == 303
    last = entries(session)[-1]
    assert (last.act, last.occurred_at.date().isoformat()) == (Act.GIVEN, "2026-01-05")
    content = session.scalars(select(EvidenceRow.content).where(EvidenceRow.entry_id == last.id)).one()
    assert (content["source"], content["wording"]) == ("På en blankett: Pärm 3, blad 17", "Ja tack")


def test_staff_lift_nothing_that_the_person_stopped(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing", Act.WITHDRAWN)
    count = len(entries(session))
    form = {
        "said": "yes",
        "purpose": str(purpose(session, "marketing").id),
        "told": "phone",
        "reason": "Ringde.",
        "proof": "Samtal 9",
    }
    answer = officer.post(f"{path(anna)}/act", form)
    assert answer.status_code == 409
    assert "Samtal 9" in answer.text
    assert len(entries(session)) == count
    events = {**form, "purpose": str(purpose(session, "events").id)}
    assert officer.post(f"{path(anna)}/act", events).status_code == 422


def test_the_mailbox_is_asked_and_only_its_answer_counts(
    app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing", Act.WITHDRAWN)
    count = len(entries(session))
    form = {"said": "ask", "purpose": str(purpose(session, "marketing").id), "told": "phone", "reason": "Ringde."}
    assert officer.post(f"{path(anna)}/act", form).location.endswith("?done=asked")
    assert len(entries(session)) == count
    assert "/c/" in send_all(app)["anna@example.se"].part("plain")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"said": "x", "purpose": "1", "reason": "x"},
        {"said": "no", "purpose": "2", "reason": "x"},
        {"said": "no", "purpose": "2", "reason": "x", "told": "<b>"},
        {"said": "no", "told": "phone", "reason": "x"},
        {"said": "no", "purpose": "99999", "reason": "x"},
        {"said": "no", "purpose": "²", "reason": "x"},
        {"said": "no", "told": "phone", "purpose": "2", "reason": " "},
        {"said": "no", "told": "phone", "purpose": "2", "reason": "x" * 2001},
        {"said": "no", "told": "phone", "purpose": "2", "reason": "x", "occurred_on": "2999-01-01"},
        {"said": "no", "told": "phone", "purpose": "2", "reason": "x", "occurred_on": "i går"},
    ],
)
def test_what_cannot_be_recorded_is_said_and_nothing_stored(
    officer: StaffBrowser, session: Session, anna: RecipientView, form: dict[str, str]
) -> None:
    count = len(entries(session))
    answer = officer.post(f"{path(anna)}/act", form)
    assert answer.status_code == 422
    assert "<title>Fel:" in answer.text
    assert len(entries(session)) == count
    assert "acted_on_behalf" not in audited(session)


def test_their_link_is_mailed_to_them(app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView) -> None:
    assert officer.post(f"{path(anna)}/link").location.endswith("?done=link")
    assert "/p/" in send_all(app)["anna@example.se"].part("plain")
    assert "link_sent" in audited(session)


def test_a_block_begins_and_ends(officer: StaffBrowser, session: Session, anna: RecipientView) -> None:
    for form, status, code in (
        ({}, RecipientStatus.RESTRICTED, "restricted"),
        ({}, RecipientStatus.RESTRICTED, "nothing"),
        ({"end": "1"}, RecipientStatus.ACTIVE, "unrestricted"),
    ):
        assert officer.post(f"{path(anna)}/restrict", form).location.endswith(f"?done={code}")
        assert session.scalars(select(RecipientRow.status)).one() is status
        session.rollback()


def test_erasing_needs_a_reason_and_leaves_a_page_that_says_so(
    officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    assert "Radera den här personen?" in officer.get(f"{path(anna)}/erase").text
    assert officer.post(f"{path(anna)}/erase", {"sure": "1"}).status_code == 422
    assert officer.post(f"{path(anna)}/erase", {"sure": "1", "reason": "Brev."}).status_code == 303
    text = officer.get(path(anna)).text
    assert "anna@example.se" not in text
    assert "Anna Ö" not in text
    assert "recipient_erased" in audited(session)


def test_the_evidence_pack_is_one_zip(officer: StaffBrowser, session: Session, anna: RecipientView) -> None:
    answer = officer.get(f"{path(anna)}/evidence.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as pack:
        assert "entries.ndjson" in pack.namelist()
    assert "evidence_exported" in audited(session)


def test_who_is_not_there_is_not_found(officer: StaffBrowser) -> None:
    for wrong in ("0000000000000", "x", "%00", "0" * 40, "zzzzzzzzzzzzz"):
        for below in ("", "/act", "/erase", "/evidence.zip"):
            assert officer.get(f"/admin/recipients/{wrong}{below}").status_code == 404
