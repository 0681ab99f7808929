"""The page behind an unsubscribe link: it shows, and acts on nothing but its own buttons (M4, M6, D2-D15, T13, T19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.suppression import SuppressionReason
from preferences.models.purpose import NoticeVersionRow
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.choices import active_suppressions, choice_of
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.choices.suppression import suppress
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.visits import entries

SCANNERS = (
    {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) BarracudaCentral"},
    {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch"},
    {"User-Agent": "Mozilla/5.0 SafeLinks", "Accept": "*/*", "Range": "bytes=0-1023"},
    {"User-Agent": "", "Connection": "close", "If-None-Match": "*"},
)


@pytest.fixture
def path(session: Session) -> str:
    """The link of a Swedish recipient of marketing mail."""
    return f"/u/{link(make_recipient(session, locale='sv'), purpose(session, 'marketing'))}"


@pytest.mark.parametrize("headers", SCANNERS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing_whoever_looks(
    client: StrictClient, session: Session, path: str, method: str, headers: dict[str, str]
) -> None:
    """M4, T1, T2."""
    for query in ("", "?List-Unsubscribe=One-Click", "?confirm=1&stop=everything"):
        answer = client.open(path + query, method=method, headers=headers)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert entries(session) == []


def test_the_page_runs_no_script_and_loads_nothing_from_elsewhere(client: StrictClient, path: str) -> None:
    """T3, T29: nothing can submit on load, since nothing runs."""
    page = get(client, path)
    assert page.all("script") == page.all("iframe") == page.all("img") == []
    assert all(one.get("href", "").startswith("/") for one in page.all("link"))
    assert not [name for element in page.root.iter() for name in element.attrib if name.startswith("on")]


def test_the_page_shows_a_masked_address_and_what_stops(client: StrictClient, session: Session, path: str) -> None:
    """T11: forward-safe."""
    page = get(client, path)
    assert "a•••@e•••.se" in page.text
    assert "anna" not in page.html
    assert "Nyheter och erbjudanden" in page.title
    assert "Vi mejlar dig om våra produkter" in page.text
    buttons = [(one.get("value"), "".join(one.itertext()).strip()) for one in page.all("button")]
    assert buttons == [("purpose", "Stoppa ”Nyheter och erbjudanden”"), ("everything", "Stoppa alla utskick")]
    assert "/p/" not in page.html, "a link never grants more than it has"


def test_the_buttons_stand_before_everything_that_is_to_be_read(client: StrictClient, path: str) -> None:
    """D2, D4, D6: open, press, done."""
    page = get(client, path)
    assert page.position("Stoppa alla utskick") < page.position("Vi mejlar dig om")
    assert len(page.forms()) == 1
    assert page.forms()[0].fields.keys() == {"confirm", "shown_purpose", "shown_everything"}


def test_pressing_stop_is_answered_by_what_is_stored(client: StrictClient, session: Session, path: str) -> None:
    """D10, D15, T19: 303 to a page that reads back from the database, today and next year."""
    done = follow(client, get(client, path).forms()[0].submit(client, {"stop": "purpose"}))
    assert "Du stoppade ”Nyheter och erbjudanden” den" in done.text
    assert "kan ändå komma fram" in done.text
    (rest,) = done.acting_forms()
    assert [one.get("value") for one in rest.element.iter("button")] == ["everything"]
    (entry,) = entries(session)
    assert (entry.act, entry.method) == (Act.WITHDRAWN, Method.UNSUBSCRIBE_PAGE)
    again = get(client, path)
    assert again.text == done.text


def test_the_exact_wording_and_language_are_recorded(client: StrictClient, session: Session, path: str) -> None:
    """L2: what was shown, as it was shown, also where the notice has changed in between."""
    form = get(client, f"{path}?lang=en").forms()[0]
    assert form.path.endswith("?lang=en")
    answer = form.submit(client, {"stop": "purpose"})
    assert answer.headers["Location"].endswith("?lang=en")
    (entry,) = entries(session)
    assert (entry.notice_version_id, entry.locale) == (purpose(session, "marketing").notice_version_id, "en")


@pytest.mark.parametrize("shown", ["", "x", "1:sv", "999999:sv", "2:tlh", "2:sv:3", "-2:sv", "2:sv\x00"])
def test_wording_that_cannot_have_been_shown_is_not_made_evidence(
    client: StrictClient, session: Session, path: str, shown: str
) -> None:
    """The stop counts; the claim does not."""
    assert client.post(path, data={"confirm": "1", "shown_purpose": shown}).status_code == 303
    assert [(entry.act, entry.notice_version_id, entry.locale) for entry in entries(session)] == [
        (Act.WITHDRAWN, None, None)
    ]


def test_the_mark_alone_stops_the_purpose(client: StrictClient, session: Session, path: str) -> None:
    assert client.post(path, data={"confirm": "1"}).status_code == 303
    assert [entry.purpose_id for entry in entries(session)] == [purpose(session, "marketing").id]


def test_stopping_everything_is_a_fact_of_its_own(client: StrictClient, session: Session, path: str) -> None:
    """T18."""
    done = follow(client, get(client, path).forms()[0].submit(client, {"stop": "everything"}))
    assert "Alla utskick är stoppade" in done.title
    assert done.acting_forms() == []
    (entry,) = entries(session)
    everything = catalogue(session).everything().purpose
    assert (entry.purpose_id, entry.act) == (everything.id, Act.OBJECTED)
    assert (entry.notice_version_id, entry.locale) == (everything.notice_version_id, "sv")
    assert not choice_of(session, entry.recipient_id, purpose(session, "marketing").id).stops  # type: ignore[arg-type]


def test_pressing_twice_records_once(client: StrictClient, session: Session, path: str) -> None:
    form = get(client, path).forms()[0]
    answers = [form.submit(client, {"stop": stop}) for stop in ("purpose", "purpose", "everything", "everything")]
    assert [one.status_code for one in answers] == [303] * 4
    assert len(entries(session)) == 2


def test_the_page_says_what_is_newer_than_the_mail(client: StrictClient, session: Session) -> None:
    """T13."""
    recipient, marketing = make_recipient(session), purpose(session, "marketing")
    path = f"/u/{link(recipient, marketing, issued_at=datetime.now(UTC) - timedelta(days=400), epoch=0)}?lang=en"
    assert "You said yes to this on" not in get(client, path).text
    act(session, recipient, "marketing")
    page = get(client, path)
    assert "You said yes to this on" in page.text
    follow(client, page.forms()[0].submit(client, {"stop": "purpose"}))
    assert "Stopped: News and offers" in get(client, path).title


def test_a_yes_given_after_the_stop_is_shown_truthfully(client: StrictClient, session: Session, path: str) -> None:
    """T19, D3: the confirmation is no memory of a click but the state."""
    get(client, path).forms()[0].submit(client, {"stop": "purpose"})
    recipient_id = entries(session)[0].recipient_id
    recipient = recipient_by_id(session, recipient_id)  # type: ignore[arg-type]
    session.commit()
    assert recipient is not None
    act(session, recipient, "marketing")
    assert [one.get("value") for one in get(client, path).all("button")] == ["purpose", "everything"]


@pytest.mark.parametrize("bad", ["", "x", "A" * 60, "a/b", "%00", "%F0%9F%98%80"])
def test_a_bad_link_leads_somewhere(client: StrictClient, session: Session, bad: str) -> None:
    """M7, D8: the same 200, the same look, a way on; and its buttons would do nothing."""
    page = get(client, f"/u/{bad}?lang=en")
    assert page.response.status_code == 200
    assert [one.get("href") for one in page.all("a", **{"class": "button"})] == ["/?lang=en"]
    answer = client.post(f"/u/{bad}?lang=en", data={"confirm": "1", "stop": "everything"})
    assert (answer.status_code, Page(answer).text) == (200, page.text)
    assert entries(session) == []


def test_an_erased_recipients_link_says_no_more_than_a_bad_one(
    client: StrictClient, session: Session, path: str
) -> None:
    row = session.query(RecipientRow).one()
    row.address = row.address_index = row.domain_index = None
    row.status = "erased"  # type: ignore[assignment]
    session.commit()
    assert get(client, path).text == get(client, "/u/x").text
    assert client.post(path, data={"confirm": "1", "stop": "everything"}).status_code == 303
    assert entries(session) == []


def test_one_language_from_the_link_to_the_confirmation(client: StrictClient, session: Session) -> None:
    """D13: the recipient's, then the browser's; switched on the page, it stays switched."""
    marketing = purpose(session, "marketing")
    swede = f"/u/{link(make_recipient(session, locale='sv'), marketing)}"
    unknown = f"/u/{link(make_recipient(session, 'b@example.se'), marketing)}"
    assert get(client, swede, **{"Accept-Language": "en"}).language == "sv"
    assert get(client, unknown, **{"Accept-Language": "en"}).language == "en"
    assert get(client, unknown).language == "sv"
    switched = get(client, f"{swede}?lang=en")
    assert (switched.language, "Stop all mailings" in switched.text) == ("en", True)
    assert follow(client, switched.forms()[0].submit(client, {"stop": "purpose"})).language == "en"


def test_a_photo_link_stops_the_publication_and_offers_no_stop_of_mail(client: StrictClient, session: Session) -> None:
    """T20: an objection to a photo has nothing to do with mail."""
    photo = next(one.purpose for one in catalogue(session).all() if one.purpose.about == "publication")
    session.commit()
    path = f"/u/{link(make_recipient(session), photo)}"
    page = get(client, path)
    assert [one.get("value") for one in page.all("button")] == ["purpose"]
    follow(client, page.forms()[0].submit(client, {"stop": "purpose"}))
    assert [entry.purpose_id for entry in entries(session)] == [photo.id]


def test_a_topic_under_a_stopped_purpose_is_shown_as_stopped(client: StrictClient, session: Session) -> None:
    recipient = make_recipient(session)
    act(session, recipient, "marketing", Act.WITHDRAWN)
    page = get(client, f"/u/{link(recipient, purpose(session, 'product_news'))}?lang=en")
    assert "Stopped: Product news" in page.title


def test_a_bounced_address_is_not_shown_as_the_persons_own_stop(client: StrictClient, session: Session) -> None:
    """T20: a bounce is not an objection."""
    recipient = make_recipient(session)
    assert recipient.address_index is not None
    suppress(
        session,
        address_index=recipient.address_index,
        reason=SuppressionReason.HARD_BOUNCE,
        source="test",
        now=datetime.now(UTC),
    )
    session.commit()
    page = get(client, f"/u/{link(recipient, purpose(session, 'events'))}")
    assert [one.get("value") for one in page.all("button")] == ["purpose", "everything"]
    page.forms()[0].submit(client, {"stop": "everything"})
    reasons = {one.reason for one in active_suppressions(session, recipient.address_index)}
    assert reasons == {SuppressionReason.HARD_BOUNCE, SuppressionReason.GLOBAL_STOP}


def test_the_notice_of_another_purpose_is_not_taken_for_this_one(
    client: StrictClient, session: Session, path: str
) -> None:
    other = purpose(session, "events").notice_version_id
    assert session.get(NoticeVersionRow, other) is not None
    session.commit()
    client.post(path, data={"confirm": "1", "shown_purpose": f"{other}:sv"})
    assert [entry.notice_version_id for entry in entries(session)] == [None]
