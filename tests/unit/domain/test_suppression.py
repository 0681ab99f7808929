"""Suppressions are scoped: a bounce is not an objection, and a complaint is neither (T20)."""

from __future__ import annotations

import pytest

from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose, PurposeId
from preferences.domain.suppression import (
    DEFAULT_SCOPES,
    PRECEDENCE,
    Suppression,
    SuppressionReason,
    SuppressionScope,
)


def _purpose(number: int, about: About = About.MAIL, parent: int | None = None) -> Purpose:
    return Purpose(
        PurposeId(number),
        f"p{number}",
        PurposeId(parent) if parent else None,
        about,
        LawfulBasis.CONSENT,
        False,
        NoticeVersionId(1),
    )


NEWS, TOPIC, OTHER, PHOTOS = _purpose(1), _purpose(2, parent=1), _purpose(3), _purpose(4, About.PUBLICATION)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_every_reason_without_a_purpose_stops_all_informational_mail(reason: SuppressionReason) -> None:
    assert Suppression(reason, DEFAULT_SCOPES[reason]).covers(NEWS, None)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_publication_is_stopped_by_erasure_alone(reason: SuppressionReason) -> None:
    assert Suppression(reason, DEFAULT_SCOPES[reason]).covers(PHOTOS, None) is (reason is SuppressionReason.ERASED)


def test_suppression_of_one_purpose_reaches_its_topics_and_nothing_else() -> None:
    one = Suppression(SuppressionReason.COMPLAINT, SuppressionScope.PURPOSE, NEWS.id)
    assert one.covers(NEWS, None)
    assert one.covers(NEWS, TOPIC)
    assert not one.covers(OTHER, None)


def test_suppression_of_a_topic_leaves_its_purpose_alone() -> None:
    one = Suppression(SuppressionReason.COMPLAINT, SuppressionScope.PURPOSE, TOPIC.id)
    assert one.covers(NEWS, TOPIC)
    assert not one.covers(NEWS, None)


def test_only_what_says_the_mailbox_is_dead_or_gone_reaches_every_message() -> None:
    """A complaint or a global stop concerns informational mail; a password reset is not stopped by it (T20)."""
    everything = {reason for reason, scope in DEFAULT_SCOPES.items() if scope is SuppressionScope.ALL}
    assert everything == {SuppressionReason.HARD_BOUNCE, SuppressionReason.ERASED, SuppressionReason.MANUAL}


def test_every_reason_has_a_scope_and_a_place_in_the_precedence() -> None:
    assert set(DEFAULT_SCOPES) == set(PRECEDENCE) == set(SuppressionReason)
    assert len(PRECEDENCE) == len(SuppressionReason)
    said, noticed = PRECEDENCE.index(SuppressionReason.GLOBAL_STOP), PRECEDENCE.index(SuppressionReason.HARD_BOUNCE)
    assert said < noticed, "what the person said comes before what a machine noticed"
