"""Purposes, choices and questions for tests of the decision, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from preferences.domain.acts import Act
from preferences.domain.choice import NO_CHOICE, Choice
from preferences.domain.eligibility import Decision, Level, RecipientStatus, decide, steps_of
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose, PurposeId
from preferences.domain.suppression import DEFAULT_SCOPES, Suppression, SuppressionReason, SuppressionScope

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
EARLIER, LATER = AT - timedelta(days=2), AT - timedelta(days=1)
CONSENT, SOFT, INTEREST = LawfulBasis.CONSENT, LawfulBasis.SOFT_OPT_IN, LawfulBasis.LEGITIMATE_INTEREST
TRAINING = 7


def purpose_of(
    number: int,
    basis: LawfulBasis = CONSENT,
    *,
    parent: int | None = None,
    about: About = About.MAIL,
    customer_exception: bool = True,
) -> Purpose:
    return Purpose(
        id=PurposeId(number),
        key=f"p{number}",
        parent_id=PurposeId(parent) if parent else None,
        about=about,
        lawful_basis=basis,
        customer_exception=customer_exception,
        notice_version_id=NoticeVersionId(1),
    )


MARKETING, NEWS = purpose_of(1), purpose_of(2, parent=1)
EVENTS = purpose_of(3, INTEREST)
PHOTOS = purpose_of(4, INTEREST, about=About.PUBLICATION)
NAME = purpose_of(5, INTEREST, parent=4, about=About.PUBLICATION)
IMAGE = purpose_of(6, INTEREST, parent=4, about=About.PUBLICATION)
PHOTO_MARKETING = purpose_of(7, CONSENT, parent=4, about=About.PUBLICATION, customer_exception=False)


def did(act: Act, since: datetime = EARLIER, basis: LawfulBasis | None = CONSENT) -> Choice:
    return Choice(act=act, basis=basis, since=since, entry_id=1)


def paused(until: datetime, choice: Choice = NO_CHOICE, since: datetime = LATER) -> Choice:
    return replace(choice, paused_at=since, paused_until=until, pause_entry_id=2)


GIVEN = did(Act.GIVEN)
OBJECTED, LIFTED = did(Act.OBJECTED, basis=INTEREST), did(Act.OBJECTION_LIFTED, LATER, INTEREST)


def ask(
    *path: Purpose,
    chose: tuple[Choice, ...] = (),
    status: RecipientStatus | None = RecipientStatus.ACTIVE,
    suppressions: tuple[Suppression, ...] = (),
    training_id: int = 0,
    asked_at: datetime | None = None,
) -> Decision:
    steps = steps_of(path, training_id)
    choices = [*chose, *[NO_CHOICE] * (len(steps) - len(chose))]
    levels = [Level(step, choice) for step, choice in zip(steps, choices, strict=True)]
    return decide(levels=levels, status=status, suppressions=suppressions, at=AT, asked_at=asked_at)


def suppression(
    reason: SuppressionReason, scope: SuppressionScope | None = None, purpose: int | None = None
) -> Suppression:
    return Suppression(reason, scope or DEFAULT_SCOPES[reason], PurposeId(purpose) if purpose else None)
