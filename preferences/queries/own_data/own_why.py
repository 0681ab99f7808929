"""«Why did I get this?»: what was recorded about a person and a purpose when the link in a mail was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from preferences.domain.capability import RecipientId
from preferences.domain.catalogue import Described
from preferences.domain.choice import Choice, FoldEntry, fold
from preferences.domain.eligibility import Decision, RecipientStatus
from preferences.domain.purpose import About, NoticeText, NoticeVersionId, PurposeId
from preferences.domain.step_up import Origin
from preferences.domain.suppression import Suppression
from preferences.models.purpose import NoticeVersionRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import Standing
from preferences.queries.choices.history import SentMessage, message_by_id
from preferences.queries.ledger.ledger import entries_of
from preferences.queries.photos.trainings import Training, training_told_of
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView

_WITHIN = timedelta(seconds=1)
"""Links tell their time in whole seconds."""


@dataclass(frozen=True, slots=True)
class Why:
    """What a link says, and what was recorded at that time."""

    made_at: datetime
    message: SentMessage | None
    """None: the sender named no message."""
    notice_of: Training | None
    """The training, for a link from our notice before it: that goes to everybody on its list."""
    wording: NoticeText | None
    """The purpose as it was described then; None for a link about everything."""
    number: int | None
    above: str | None
    """The title of the purpose above a topic."""
    decision: Decision | None
    """What eligibility says about that moment; None for a link about everything."""


def why_sent(
    session: Session, recipient: RecipientView, origin: Origin, *, locale: str, default_locale: str
) -> Why | None:
    """The answer for one link; None when the link tells no time."""
    if origin.issued_at is None:
        return None
    at = origin.issued_at + _WITHIN
    message = message_by_id(session, origin.message_id) if origin.message_id else None
    training = training_told_of(session, recipient.id, origin.message_id)
    known = catalogue(session)
    found = known.by_id(origin.purpose_id)
    if found is None or found.purpose.about is About.EVERYTHING:
        return Why(origin.issued_at, message, training, None, None, None, None)
    path = [_as_of(session, step, at) for step in (known.by_id(one.id) for one in known.path_to(found.purpose)) if step]
    then = Standing(
        status=RecipientStatus.ACTIVE,
        choices=_choices_at(session, recipient.id, at),
        suppressions=_suppressions_at(session, recipient, at),
    )
    decision = then.decide([step.purpose for step in path], at)
    above = path[0].text(locale, default_locale).title if len(path) > 1 else None
    return Why(
        origin.issued_at, message, training, path[-1].text(locale, default_locale), path[-1].number, above, decision
    )


def _choices_at(session: Session, recipient_id: RecipientId, at: datetime) -> dict[tuple[int, int], Choice]:
    """Every choice folded from what was recorded by then."""
    entries: dict[tuple[int, int], list[FoldEntry]] = {}
    for entry in entries_of(session, recipient_id):
        if entry.recorded_at < at:
            entries.setdefault((entry.purpose_id, entry.training_id), []).append(entry.for_fold())
    return {key: fold(one) for key, one in entries.items()}


def _suppressions_at(session: Session, recipient: RecipientView, at: datetime) -> tuple[Suppression, ...]:
    rows = session.execute(
        select(SuppressionRow.reason, SuppressionRow.scope, SuppressionRow.purpose_id).where(
            SuppressionRow.address_index == recipient.address_index,
            SuppressionRow.created_at < at,
            or_(SuppressionRow.lifted_at.is_(None), SuppressionRow.lifted_at >= at),
        )
    )
    return tuple(Suppression(reason, scope, PurposeId(number) if number else None) for reason, scope, number in rows)


def _as_of(session: Session, described: Described, at: datetime) -> Described:
    """The purpose with the notice version that was current then; the oldest where the link is older than all."""
    versions: Sequence[NoticeVersionRow] = session.scalars(
        select(NoticeVersionRow)
        .where(NoticeVersionRow.purpose_id == described.purpose.id)
        .options(selectinload(NoticeVersionRow.texts))
        .order_by(NoticeVersionRow.number.desc())
    ).all()
    row = next((one for one in versions if one.published_at < at), versions[-1])
    purpose = replace(
        described.purpose,
        lawful_basis=row.lawful_basis,
        customer_exception=row.customer_exception,
        notice_version_id=NoticeVersionId(row.id),
        archived_at=None,
    )
    texts = {
        text.locale: NoticeText(
            locale=text.locale, title=text.title, what=text.what, why=text.why, who=text.who, how_long=text.how_long
        )
        for text in row.texts
    }
    return Described(purpose=purpose, number=row.number, texts=texts)
