"""Publication of photos: name and image apart, for all trainings or for one (L11, L17)."""

from __future__ import annotations

import pytest

from preferences.domain.acts import Act
from preferences.domain.choice import NO_CHOICE
from preferences.domain.eligibility import HOLDS_FOR, Allowed, Reason, Refused
from preferences.domain.purpose import Purpose
from preferences.domain.suppression import SuppressionReason
from tests.support.decisions import (
    AT,
    CONSENT,
    EARLIER,
    GIVEN,
    IMAGE,
    INTEREST,
    LATER,
    LIFTED,
    NAME,
    OBJECTED,
    PHOTO_MARKETING,
    PHOTOS,
    TRAINING,
    ask,
    did,
    suppression,
)


@pytest.mark.parametrize("purpose", [NAME, IMAGE])
def test_name_and_image_may_be_published_until_objected(purpose: Purpose) -> None:
    assert ask(PHOTOS, purpose, training_id=TRAINING) == Allowed(INTEREST, None, AT + HOLDS_FOR)


def test_objection_to_one_training_leaves_the_others() -> None:
    for_this = (NO_CHOICE, NO_CHOICE, NO_CHOICE, OBJECTED)
    assert ask(PHOTOS, IMAGE, chose=for_this, training_id=TRAINING) == Refused(Reason.OBJECTED, EARLIER)
    assert isinstance(ask(PHOTOS, IMAGE, training_id=TRAINING + 1), Allowed)
    assert isinstance(ask(PHOTOS, IMAGE), Allowed)


def test_objection_to_all_trainings_covers_each_until_that_one_is_allowed_again() -> None:
    for_all = (NO_CHOICE, OBJECTED)
    assert ask(PHOTOS, IMAGE, chose=for_all, training_id=TRAINING) == Refused(Reason.OBJECTED, EARLIER)
    lifted = (NO_CHOICE, OBJECTED, NO_CHOICE, LIFTED)
    assert ask(PHOTOS, IMAGE, chose=lifted, training_id=TRAINING) == Allowed(INTEREST, LATER, AT + HOLDS_FOR)
    assert isinstance(ask(PHOTOS, IMAGE, chose=lifted[:2]), Refused)


def test_photos_of_one_training_being_fine_does_not_lift_an_objection_to_every_image() -> None:
    """Neither is a part of the other, so the stop stands."""
    chose = (NO_CHOICE, OBJECTED, LIFTED)
    assert ask(PHOTOS, IMAGE, chose=chose, training_id=TRAINING) == Refused(Reason.OBJECTED, EARLIER)


def test_objection_to_photos_covers_marketing_use() -> None:
    chose = (did(Act.OBJECTED, LATER, INTEREST), GIVEN)
    assert ask(PHOTOS, PHOTO_MARKETING, chose=chose) == Refused(Reason.OBJECTED, LATER)


def test_marketing_use_needs_consent_and_silence_is_none() -> None:
    """L17: the legitimate interest in informing does not reach marketing."""
    for training_id in (0, TRAINING):
        assert ask(PHOTOS, PHOTO_MARKETING, training_id=training_id) == Refused(Reason.NO_BASIS)
        assert ask(PHOTOS, PHOTO_MARKETING, chose=(LIFTED,), training_id=training_id) == Refused(Reason.NO_BASIS)


def test_consent_to_marketing_use_in_general_counts_for_each_training_and_for_one_only_there() -> None:
    in_general, only_here = (NO_CHOICE, GIVEN), (NO_CHOICE, NO_CHOICE, NO_CHOICE, GIVEN)
    allowed = Allowed(CONSENT, EARLIER, AT + HOLDS_FOR)
    assert ask(PHOTOS, PHOTO_MARKETING, chose=in_general, training_id=TRAINING) == allowed
    assert ask(PHOTOS, PHOTO_MARKETING, chose=only_here, training_id=TRAINING) == allowed
    assert ask(PHOTOS, PHOTO_MARKETING, training_id=TRAINING + 1) == Refused(Reason.NO_BASIS)


def test_publication_ignores_bounces_and_heeds_erasure() -> None:
    """T20: publishing sends nothing, so a dead mailbox says nothing about it."""
    for reason in SuppressionReason:
        refused = reason is SuppressionReason.ERASED
        assert isinstance(ask(PHOTOS, NAME, suppressions=(suppression(reason),)), Refused) is refused
