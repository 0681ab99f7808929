"""One decision for every edge: why not, on what basis, since when, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from preferences.domain.acts import STOPS, Act
from preferences.domain.choice import NO_CHOICE
from preferences.domain.eligibility import HOLDS_FOR, SENTENCES, Allowed, Reason, RecipientStatus, Refused, suppressed
from preferences.domain.suppression import PRECEDENCE, SuppressionReason, SuppressionScope
from tests.support.decisions import (
    AT,
    CONSENT,
    EARLIER,
    EVENTS,
    GIVEN,
    IMAGE,
    INTEREST,
    LATER,
    LIFTED,
    MARKETING,
    NEWS,
    OBJECTED,
    PHOTOS,
    SOFT,
    ask,
    did,
    paused,
    purpose_of,
    suppression,
)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert len(set(SENTENCES.values())) == len(Reason)


# Consent, the customer exception, legitimate interest


def test_nothing_recorded_means_no_mail_without_a_basis() -> None:
    assert ask(MARKETING) == Refused(Reason.NO_BASIS)
    assert ask(MARKETING, NEWS) == Refused(Reason.NO_BASIS)


def test_consent_is_told_with_its_moment() -> None:
    assert ask(MARKETING, chose=(GIVEN,)) == Allowed(CONSENT, EARLIER, AT + HOLDS_FOR)


def test_topic_follows_the_consent_to_its_purpose_until_it_has_its_own() -> None:
    assert ask(MARKETING, NEWS, chose=(GIVEN,)) == Allowed(CONSENT, EARLIER, AT + HOLDS_FOR)
    own = did(Act.GIVEN, LATER)
    assert ask(MARKETING, NEWS, chose=(GIVEN, own)) == Allowed(CONSENT, LATER, AT + HOLDS_FOR)


def test_consent_to_a_topic_is_no_consent_to_the_purpose() -> None:
    assert ask(MARKETING, chose=(NO_CHOICE,)) == Refused(Reason.NO_BASIS)
    assert isinstance(ask(MARKETING, NEWS, chose=(NO_CHOICE, GIVEN)), Allowed)


def test_legitimate_interest_allows_from_the_start_until_objected() -> None:
    assert ask(EVENTS) == Allowed(INTEREST, None, AT + HOLDS_FOR)
    assert ask(EVENTS, chose=(OBJECTED,)) == Refused(Reason.OBJECTED, EARLIER)
    assert ask(EVENTS, chose=(LIFTED,)) == Allowed(INTEREST, LATER, AT + HOLDS_FOR)


def test_lifting_an_objection_never_creates_consent() -> None:
    """L1: an objection lifted on a consent purpose leaves a person who never consented."""
    assert ask(MARKETING, chose=(did(Act.OBJECTION_LIFTED, basis=CONSENT),)) == Refused(Reason.NO_BASIS)


def test_lifting_an_objection_restores_the_interest_and_not_the_consent_of_an_older_version() -> None:
    """L3: the purpose rested on consent when the person objected, and rests on legitimate interest now."""
    assert ask(EVENTS, chose=(did(Act.OBJECTION_LIFTED, basis=CONSENT),)) == Allowed(INTEREST, EARLIER, AT + HOLDS_FOR)


def test_customer_exception_counts_where_the_purpose_accepts_it() -> None:
    """L15."""
    soft = did(Act.GIVEN, basis=SOFT)
    assert ask(MARKETING, chose=(soft,)) == Allowed(SOFT, EARLIER, AT + HOLDS_FOR)
    assert ask(purpose_of(1, customer_exception=False), chose=(soft,)) == Refused(Reason.NO_BASIS)


def test_customer_exception_for_the_purpose_does_not_reach_a_topic_that_does_not_accept_it() -> None:
    """L15: similar products only."""
    partners = replace(NEWS, customer_exception=False)
    assert ask(MARKETING, partners, chose=(did(Act.GIVEN, basis=SOFT),)) == Refused(Reason.NO_BASIS)


def test_customer_exception_comes_back_when_the_objection_to_it_is_lifted() -> None:
    lifted = did(Act.OBJECTION_LIFTED, LATER, SOFT)
    assert ask(MARKETING, chose=(lifted,)) == Allowed(SOFT, LATER, AT + HOLDS_FOR)


def test_topic_of_another_basis_does_not_follow_its_purpose() -> None:
    asked_first = purpose_of(2, CONSENT, parent=3)
    assert ask(EVENTS, asked_first, chose=(LIFTED,)) == Refused(Reason.NO_BASIS)


# Stops


@pytest.mark.parametrize("act", sorted(STOPS))
def test_every_stop_refuses_by_its_own_name_and_moment(act: Act) -> None:
    assert ask(MARKETING, chose=(did(act),)) == Refused(Reason(act.value), EARLIER)
    assert ask(MARKETING, NEWS, chose=(GIVEN, did(act, LATER))) == Refused(Reason(act.value), LATER)


def test_stop_of_the_purpose_stops_its_topics() -> None:
    assert ask(MARKETING, NEWS, chose=(did(Act.WITHDRAWN, LATER), GIVEN)) == Refused(Reason.WITHDRAWN, LATER)


def test_topic_allowed_after_the_purpose_was_stopped_is_allowed() -> None:
    chose = (did(Act.WITHDRAWN), did(Act.GIVEN, LATER))
    assert ask(MARKETING, NEWS, chose=chose) == Allowed(CONSENT, LATER, AT + HOLDS_FOR)


def test_tie_between_a_stop_and_a_topic_goes_to_the_stop() -> None:
    """T28."""
    assert ask(MARKETING, NEWS, chose=(did(Act.WITHDRAWN), GIVEN)) == Refused(Reason.WITHDRAWN, EARLIER)


def test_stop_of_a_topic_outlives_a_later_yes_to_the_purpose() -> None:
    chose = (did(Act.GIVEN, LATER), did(Act.WITHDRAWN))
    assert ask(MARKETING, NEWS, chose=chose) == Refused(Reason.WITHDRAWN, EARLIER)


def test_customer_exception_that_is_not_accepted_overrules_no_stop() -> None:
    partners = replace(NEWS, customer_exception=False)
    chose = (did(Act.WITHDRAWN), did(Act.GIVEN, LATER, SOFT))
    assert ask(MARKETING, partners, chose=chose) == Refused(Reason.WITHDRAWN, EARLIER)


# Pauses


def test_pause_refuses_until_the_moment_it_ends() -> None:
    """T24: what ends by itself says when."""
    ends = AT + timedelta(days=3)
    assert ask(MARKETING, chose=(paused(ends, GIVEN),)) == Refused(Reason.PAUSED, LATER, ends)
    assert isinstance(ask(MARKETING, chose=(paused(AT, GIVEN),)), Allowed), "it has ended at the very moment"


def test_pause_of_the_purpose_pauses_its_topics_and_the_one_that_ends_last_is_told() -> None:
    soon, late = AT + timedelta(days=1), AT + timedelta(days=9)
    assert ask(MARKETING, NEWS, chose=(paused(soon, GIVEN),)) == Refused(Reason.PAUSED, LATER, soon)
    both = (paused(soon, GIVEN), paused(late, since=EARLIER))
    assert ask(MARKETING, NEWS, chose=both) == Refused(Reason.PAUSED, EARLIER, late)


def test_newer_yes_ends_a_pause_and_a_newer_no_is_told_instead_of_it() -> None:
    ends = AT + timedelta(days=3)
    assert isinstance(ask(MARKETING, chose=(paused(ends, did(Act.GIVEN, LATER), EARLIER),)), Allowed)
    stopped = paused(ends, did(Act.WITHDRAWN))
    assert ask(MARKETING, chose=(stopped,)) == Refused(Reason.WITHDRAWN, EARLIER)


# How long it holds


def test_allowed_holds_for_an_hour_after_asking_however_far_ahead_the_message_lies() -> None:
    """T24: nobody can know today who opts out tomorrow."""
    asked = AT - timedelta(days=30)
    assert ask(MARKETING, chose=(GIVEN,), asked_at=asked) == Allowed(CONSENT, EARLIER, asked + timedelta(hours=1))


def test_refusal_by_a_person_has_no_end() -> None:
    for decision in (ask(MARKETING, chose=(did(Act.WITHDRAWN),)), ask(MARKETING), ask(MARKETING, status=None)):
        assert isinstance(decision, Refused)
        assert decision.until is None


# Archived purposes, suppressions, status: in this order


def test_archived_purpose_refuses_before_anything_else() -> None:
    """T25: archived, never deleted, and never a way around a stop."""
    archived = replace(MARKETING, archived_at=EARLIER)
    assert ask(archived, chose=(GIVEN,)) == Refused(Reason.PURPOSE_ARCHIVED)
    assert ask(archived, NEWS, chose=(GIVEN, GIVEN)) == Refused(Reason.PURPOSE_ARCHIVED)
    assert ask(MARKETING, replace(NEWS, archived_at=EARLIER), chose=(GIVEN,)) == Refused(Reason.PURPOSE_ARCHIVED)
    everything = tuple(suppression(reason) for reason in SuppressionReason)
    assert ask(archived, suppressions=everything, status=None) == Refused(Reason.PURPOSE_ARCHIVED)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_every_suppression_refuses_by_its_own_name_whoever_it_is(reason: SuppressionReason) -> None:
    for status in (None, *RecipientStatus):
        found = ask(MARKETING, chose=(GIVEN,), status=status, suppressions=(suppression(reason),))
        assert found == Refused(suppressed(reason))


@pytest.mark.parametrize("place", range(len(PRECEDENCE)))
def test_what_the_person_said_is_told_before_what_a_machine_noticed(place: int) -> None:
    rest = tuple(suppression(reason) for reason in reversed(PRECEDENCE[place:]))
    assert ask(MARKETING, chose=(GIVEN,), suppressions=rest) == Refused(suppressed(PRECEDENCE[place]))


def test_suppression_for_one_purpose_leaves_the_others_alone() -> None:
    """T20."""
    complaint = suppression(SuppressionReason.COMPLAINT, SuppressionScope.PURPOSE, 3)
    assert ask(EVENTS, suppressions=(complaint,)) == Refused(Reason.SUPPRESSED_COMPLAINT)
    assert isinstance(ask(MARKETING, chose=(GIVEN,), suppressions=(complaint,)), Allowed)


def test_suppression_for_a_purpose_covers_its_topics_and_one_for_a_topic_only_itself() -> None:
    of_purpose = suppression(SuppressionReason.MANUAL, SuppressionScope.PURPOSE, 1)
    of_topic = suppression(SuppressionReason.MANUAL, SuppressionScope.PURPOSE, 2)
    assert ask(MARKETING, NEWS, chose=(GIVEN,), suppressions=(of_purpose,)) == Refused(Reason.SUPPRESSED_MANUAL)
    assert ask(MARKETING, NEWS, chose=(GIVEN,), suppressions=(of_topic,)) == Refused(Reason.SUPPRESSED_MANUAL)
    assert isinstance(ask(MARKETING, chose=(GIVEN,), suppressions=(of_topic,)), Allowed)


def test_unknown_recipient_is_refused_even_for_a_legitimate_interest() -> None:
    assert ask(EVENTS, status=None) == Refused(Reason.UNKNOWN_RECIPIENT)


@pytest.mark.parametrize("status", [RecipientStatus.RESTRICTED, RecipientStatus.ERASED])
def test_restricted_and_erased_people_are_refused_before_their_choices(status: RecipientStatus) -> None:
    """GDPR 17, 18: also what was consented to, also publication."""
    assert ask(MARKETING, chose=(GIVEN,), status=status) == Refused(Reason(status.value))
    assert ask(MARKETING, chose=(did(Act.WITHDRAWN),), status=status) == Refused(Reason(status.value))
    assert ask(PHOTOS, IMAGE, status=status) == Refused(Reason(status.value))
