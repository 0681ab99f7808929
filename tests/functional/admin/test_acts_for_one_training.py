"""Staff record what a person said about name and image at one training, under the rules of every act on behalf."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import make_recipient
from tests.support.on_behalf import entries, said
from tests.support.page import Page
from tests.support.staff import StaffBrowser, signed_in
from tests.support.trainings import bodies, make_training, may, sent_mail


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who has said nothing."""
    return make_recipient(session, locale="sv", name="Anna Ö")


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def path(one: RecipientView) -> str:
    return f"/admin/recipients/{format_recipient_id(one.id)}"


def test_name_and_image_are_answered_for_one_training_under_the_same_rules(
    app: Flask, officer: StaffBrowser, session: Session, anna: RecipientView
) -> None:
    number = make_training(session, anna)
    make_training(session, title="En annan")
    page = officer.get(f"{path(anna)}/act").text
    assert f'<option value="{number}">' in page
    assert "En annan" not in page
    form = said(session, "photo_image", training=str(number))
    assert {officer.post(f"{path(anna)}/act", form).location for _ in range(2)} == {f"{path(anna)}?done=recorded"}
    last = entries(session)[-1]
    assert (last.training_id, last.act, last.actor, last.actor_id) == (
        number,
        Act.OBJECTED,
        Actor.STAFF,
        officer.staff.id,
    )
    assert len(entries(session)) == 1
    assert may(session, number)[1] == "objected"
    again = officer.post(f"{path(anna)}/act", form | {"said": "yes", "proof": "Pärm 3"})
    assert (again.status_code, len(entries(session))) == (422, 1), "only the mailbox lifts what the person stopped"
    assert f'value="{number}" selected' in again.text, "nothing that was chosen is lost"
    assert officer.post(f"{path(anna)}/act", form | {"said": "ask"}).location.endswith("?done=asked")
    [mail] = sent_mail(app)
    assert "Säkerhet i vardagen" in bodies(mail)[0]
    officer.post(f"{path(anna)}/act", form | {"purpose": said(session, "photo_name")["purpose"], "form": "a" * 16})
    assert may(session, number)[:2] == ("objected", "objected")
    wrong = entries(session)[-1].id
    assert officer.post(f"{path(anna)}/undo", {"entry": str(wrong)}).location.endswith("done=undone")
    assert may(session, number)[:2] == ("allowed", "objected")


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("marketing", {}),
        ("photo_image", {"said": "stop_everything"}),
        ("photo_marketing", {"said": "yes", "proof": "Pärm 3"}),
        ("photo_image", {"training": "999"}),
        ("photo_image", {"training": "x"}),
        ("photo_image", {"reason": ""}),
    ],
)
def test_what_cannot_be_answered_for_one_training_is_refused_and_kept(
    officer: StaffBrowser, session: Session, anna: RecipientView, key: str, more: dict[str, str]
) -> None:
    number = make_training(session, anna)
    answer = officer.post(
        f"{path(anna)}/act", said(session, key, **({"training": str(number), "reason": "Brev"} | more))
    )
    assert answer.status_code == 422
    assert ("namn och bild" in Page(answer).text) is ("reason" not in more)
    assert entries(session) == []
