"""Publishes versions of the privacy policy, and tells everyone reachable of a major one (L21).

It is a service notice: it reaches people who opted out of marketing, never an erased, restricted or bounced address. The
mailing is taken up in portions by the worker, can be paused, and leaves a record of each delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import CursorResult, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.events import EventType
from preferences.domain.mailing import MailDropped
from preferences.domain.policy import PolicyText, Weight, check_policy_texts
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.policy import PolicyAnnouncementRow, PolicyNoticeRow, PolicyTextRow, PolicyVersionRow
from preferences.models.recipient import RecipientRow
from preferences.queries.purposes.policy import policy_version
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.outbox.outbox import tell_change

TEMPLATE = "policy_changed"
PORTION = 500
"""So many people a portion; as many mails may wait before the next one is taken up, so that other mail is not held up."""


class UnknownPolicyVersion(NotFound):
    """No version of the policy has this number."""

    code: ClassVar[str] = "unknown_policy_version"
    title: ClassVar[str] = "Unknown version of the privacy policy"


def publish_policy(
    session: Session, texts: Sequence[PolicyText], weight: Weight, *, wanted: Sequence[str], now: datetime
) -> int:
    """Publish the next version, complete in every language in `wanted`. Returns its number; mailers hear `policy.published`.

    Raises InvalidValue, or Conflict where the newest version says exactly this (`/texts`) or somebody was faster (`/based_on`).
    """
    check_policy_texts(texts, wanted=wanted)
    newest = policy_version(session)
    if newest is not None and dict(newest.texts) == {one.locale: one for one in texts}:
        raise Conflict(f"Version {newest.number} says exactly this already.", pointer="/texts")
    number = 1 + (newest.number if newest else 0)
    session.add(PolicyVersionRow(number=number, weight=weight, published_at=now))
    try:
        session.flush()
    except IntegrityError as error:  # somebody else has just published it
        raise Conflict(f"Version {number} was published meanwhile.", pointer="/based_on") from error
    session.add_all(
        PolicyTextRow(number=number, locale=one.locale, changes=one.changes, body=one.body) for one in texts
    )
    session.flush()
    tell_change(
        session,
        EventType.POLICY_PUBLISHED,
        recipient_id=None,
        now=now,
        data={"version": number, "weight": weight.value},
    )
    return number


def begin_announcement(session: Session, number: int, *, now: datetime) -> None:
    """Begin to tell everyone reachable. Raises UnknownPolicyVersion, Conflict for one that was begun, or is not the newest."""
    newest = policy_version(session)
    if newest is None or policy_version(session, number) is None:
        raise UnknownPolicyVersion(f"There is no version {number} of the privacy policy.")
    if newest.number != number:
        raise Conflict(f"Version {newest.number} is newer; people are told of that one.")
    if session.get(PolicyAnnouncementRow, number) is not None:
        raise Conflict(f"Version {number} is announced already.")
    total = session.scalar(select(func.count()).where(RecipientRow.status == RecipientStatus.ACTIVE)) or 0
    session.add(PolicyAnnouncementRow(number=number, total=total, started_at=now))
    try:
        session.flush()
    except IntegrityError as error:  # somebody else has just begun it
        raise Conflict(f"Version {number} is announced already.") from error


def pause_announcement(session: Session, number: int, *, now: datetime) -> None:
    """Take up nobody more; what is queued still goes out. Raises UnknownPolicyVersion, Conflict when it is over."""
    _running(session, number).paused_at = now
    session.flush()


def resume_announcement(session: Session, number: int) -> None:
    """Go on where it was paused. Raises UnknownPolicyVersion, Conflict when it is over."""
    _running(session, number).paused_at = None
    session.flush()


def is_announcing(session: Session) -> bool:
    """Whether an announcement is going on; where none is, nobody has to be asked for the right to write."""
    return session.scalars(_going_on()).first() is not None


def announce_portion(session: Session, *, now: datetime, portion: int = PORTION) -> int:
    """Queue the mail for the next few people of a running announcement. Returns how many were taken up; 0: nothing to do.

    One transaction each: a worker that dies takes nobody up twice and leaves nobody out.
    """
    row = session.scalars(_going_on().with_for_update(skip_locked=True)).one_or_none()
    if row is None or _waiting(session, row.number) >= portion:
        return 0
    people = session.scalars(
        select(RecipientRow.id)
        .where(RecipientRow.id > row.position, RecipientRow.status == RecipientStatus.ACTIVE)
        .order_by(RecipientRow.id)
        .limit(portion)
    ).all()
    if not people:
        row.finished_at = now
        session.flush()
        return 0
    jobs = [
        OutboxJobRow(
            kind=JobKind.MAIL,
            recipient_id=recipient_id,
            payload={"template": TEMPLATE, "version": row.number},
            created_at=now,
            run_at=now,
        )
        for recipient_id in people
    ]
    session.add_all(jobs)
    session.flush()
    session.execute(
        insert(PolicyNoticeRow),
        [{"number": row.number, "recipient_id": job.recipient_id, "job_id": job.id, "queued_at": now} for job in jobs],
    )
    row.position = people[-1]
    session.flush()
    return len(people)


def record_deliveries(session: Session, *, now: datetime) -> int:
    """Keep what became of the mails, before the outbox forgets it. Returns how many were new."""
    over = select(OutboxJobRow).where(OutboxJobRow.id == PolicyNoticeRow.job_id, OutboxJobRow.done_at.is_not(None))
    result = session.execute(
        update(PolicyNoticeRow)
        .where(PolicyNoticeRow.outcome.is_(None), over.exists())
        .values(
            outcome=over.with_only_columns(OutboxJobRow.outcome).scalar_subquery(),
            done_at=over.with_only_columns(OutboxJobRow.done_at).scalar_subquery(),
        ),
        execution_options={"synchronize_session": False},
    )
    return cast(CursorResult[Any], result).rowcount


def policy_mail(
    session: Session,
    recipient: RecipientView,
    payload: Mapping[str, Any],
    *,
    locale: str,
    default_locale: str,
    links: MailLinks,
    now: datetime,
) -> dict[str, Any]:
    """What goes into the mail: what changed, in the person's language. Raises MailDropped for a version that is not there."""
    version = policy_version(session, int(payload["version"]))
    if version is None:
        raise MailDropped("unknown_version")
    return {
        "changes": version.text(locale, default_locale).changes,
        "published_at": version.published_at,
        "policy_url": f"{links.base_url}/policy",
        "link": links.preferences_url(recipient, 0, reference=0, now=now),
    }


def _going_on() -> Select[PolicyAnnouncementRow]:
    """The oldest announcement that is neither over nor paused."""
    return (
        select(PolicyAnnouncementRow)
        .where(PolicyAnnouncementRow.finished_at.is_(None), PolicyAnnouncementRow.paused_at.is_(None))
        .order_by(PolicyAnnouncementRow.number)
        .limit(1)
    )


def _waiting(session: Session, number: int) -> int:
    """How many of its mails the worker has not come to."""
    return (
        session.scalar(
            select(func.count())
            .select_from(PolicyNoticeRow)
            .join(OutboxJobRow, OutboxJobRow.id == PolicyNoticeRow.job_id)
            .where(PolicyNoticeRow.number == number, PolicyNoticeRow.outcome.is_(None), OutboxJobRow.done_at.is_(None))
        )
        or 0
    )


def _running(session: Session, number: int) -> PolicyAnnouncementRow:
    known = policy_version(session, number) is not None
    row = session.get(PolicyAnnouncementRow, number, with_for_update=True) if known else None
    if row is None:
        raise UnknownPolicyVersion(f"Version {number} is not announced.")
    if row.finished_at is not None:
        raise Conflict(f"Everyone reachable has been told of version {number}.")
    return row
