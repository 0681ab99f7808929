"""The set-wise query gives the answers of the pure decision: on both databases, for whatever is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.acts import PAUSES, Act
from preferences.domain.choice import NO_CHOICE, Choice
from preferences.domain.eligibility import Decision, Level, RecipientStatus, decide, steps_of
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose, PurposeId
from preferences.domain.suppression import Suppression, SuppressionReason, SuppressionScope
from preferences.models.ledger import ChoiceRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.eligibility import Question, decide_by_address, decide_by_id
from preferences.queries.purposes.purposes import catalogue

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
MOST_RECIPIENTS = 80
"""Of those without a suppression or status, whom the choices decide about, and as many of all kinds."""
TRAINING = 7
NO_CHOICES = (NO_CHOICE,) * 4

MOMENTS = st.sampled_from([AT + timedelta(hours=hours, microseconds=off) for hours, off in ((-1, 0), (0, 0), (0, 1))])
"""Few, so that ties are common, and some of them at the very moment asked about."""

PERMISSIONS = st.one_of(
    st.tuples(
        st.sampled_from([*sorted(set(Act) - PAUSES), Act.GIVEN, Act.OBJECTION_LIFTED]),
        st.none() | st.sampled_from(LawfulBasis),
        MOMENTS,
        st.integers(1, 9),
    ),
    st.just((None, None, None, None)),
)
PAUSE_STATES = st.one_of(st.just((None, None, None)), st.tuples(MOMENTS, st.none() | MOMENTS, st.integers(1, 9)))
CHOICES = st.builds(lambda permission, pause: Choice(*permission, *pause), PERMISSIONS, PAUSE_STATES)


@dataclass(frozen=True)
class Person:
    """A recipient, or a bare address where `status` is None."""

    number: int
    status: RecipientStatus | None
    choices: tuple[Choice, ...]
    suppressions: tuple[Suppression, ...]

    @property
    def address_index(self) -> bytes:
        return hashlib.sha256(b"%d" % self.number).digest()[:16]


@st.composite
def worlds(draw: st.DrawFn, ids: tuple[int, int, int]) -> tuple[Question, list[Person]]:
    """A question and people who differ in everything it depends on. `ids`: a purpose, its topic, and another purpose."""
    path = _path(draw, ids)
    training_id = draw(st.sampled_from([0, TRAINING]))
    asked_at = AT - timedelta(hours=draw(st.integers(0, 3)))
    question = Question(path=tuple(path), at=AT, asked_at=asked_at, training_id=training_id)
    steps = steps_of(path, training_id)
    pools = [draw(st.lists(CHOICES, min_size=1, max_size=5)) for _ in steps]
    suppressed = [(), *draw(st.lists(_suppressions(ids), max_size=3))]
    choices = [NO_CHOICES[: len(steps)], *product(*pools)]
    plain = list(product([RecipientStatus.ACTIVE], choices, [()]))
    other = list(product([None, *RecipientStatus], choices, suppressed))
    pick = Random(draw(st.integers(0, 99)))
    everyone = [*_some(plain, pick), *_some(other, pick)]
    return question, [Person(number, *one) for number, one in enumerate(everyone, start=1)]


def _some(everyone: list[Any], pick: Random) -> list[Any]:
    return everyone if len(everyone) <= MOST_RECIPIENTS else pick.sample(everyone, MOST_RECIPIENTS)


def _path(draw: st.DrawFn, ids: tuple[int, int, int]) -> list[Purpose]:
    about = draw(st.sampled_from([About.MAIL, About.PUBLICATION]))
    archived_at = draw(st.sampled_from([None, None, None, None, None, AT]))
    path = [_purpose(ids[0], None, draw(st.sampled_from(LawfulBasis)), draw(st.booleans()))]
    if draw(st.booleans()):
        path.append(_purpose(ids[1], ids[0], draw(st.sampled_from(LawfulBasis)), draw(st.booleans())))
    return [replace(purpose, about=about) for purpose in path[:-1]] + [
        replace(path[-1], about=about, archived_at=archived_at)
    ]


def _purpose(purpose_id: int, parent_id: int | None, basis: LawfulBasis, customer_exception: bool) -> Purpose:
    return Purpose(
        id=PurposeId(purpose_id),
        key=f"p{purpose_id}",
        parent_id=PurposeId(parent_id) if parent_id else None,
        about=About.MAIL,
        lawful_basis=basis,
        customer_exception=customer_exception,
        notice_version_id=NoticeVersionId(1),
    )


def _suppressions(ids: tuple[int, int, int]) -> st.SearchStrategy[tuple[Suppression, ...]]:
    one = st.builds(
        lambda reason, scope, purpose_id: Suppression(
            reason, scope, PurposeId(purpose_id) if scope is SuppressionScope.PURPOSE else None
        ),
        st.sampled_from(SuppressionReason),
        st.sampled_from(SuppressionScope),
        st.sampled_from(ids),
    )
    return st.lists(one, max_size=4, unique_by=lambda found: (found.reason, found.purpose_id)).map(tuple)


def _store(session: Session, question: Question, people: Sequence[Person]) -> None:
    known = [person for person in people if person.status is not None]
    steps = steps_of(question.path, question.training_id)
    recipients = [
        {
            "id": person.number,
            "status": person.status,
            "address_index": None if person.status is RecipientStatus.ERASED else person.address_index,
            "source": "test",
            "created_at": AT,
            "updated_at": AT,
        }
        for person in known
    ]
    choices = [
        {
            "recipient_id": person.number,
            "purpose_id": step.purpose.id,
            "training_id": step.training_id,
            **{name: getattr(choice, name) for name in Choice.__dataclass_fields__},
        }
        for person in known
        for step, choice in zip(steps, person.choices, strict=True)
        if choice != NO_CHOICE
    ]
    suppressions = [_suppression_row(person, one, lifted_at=None) for person in people for one in person.suppressions]
    lifted = [
        _suppression_row(person, Suppression(reason, SuppressionScope.ALL), lifted_at=AT)
        for person in people
        for reason in set(SuppressionReason) - {one.reason for one in person.suppressions}
    ]
    for model, rows in ((RecipientRow, recipients), (ChoiceRow, choices), (SuppressionRow, suppressions + lifted)):
        if rows:
            session.execute(insert(model.__table__), rows)  # type: ignore[arg-type]


def _suppression_row(person: Person, one: Suppression, lifted_at: datetime | None) -> dict[str, Any]:
    return {
        "address_index": person.address_index,
        "reason": one.reason,
        "scope": one.scope,
        "purpose_id": one.purpose_id or 0,
        "source": "test",
        "created_at": AT,
        "lifted_at": lifted_at,
    }


def _expected(question: Question, person: Person, *, by_address: bool) -> Decision:
    """What decide() says. An erased person's address belongs to nobody, and their id has no address."""
    erased = person.status is RecipientStatus.ERASED
    steps = steps_of(question.path, question.training_id)
    return decide(
        levels=[Level(step, choice) for step, choice in zip(steps, person.choices, strict=True)],
        status=None if by_address and erased else person.status,
        suppressions=person.suppressions if by_address or (person.status and not erased) else (),
        at=question.at,
        asked_at=question.asked_at,
    )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_twin_equals_the_pure_decision(session: Session, data: st.DataObject) -> None:
    question, people = data.draw(worlds(_ids(session)))
    try:
        _store(session, question, people)
        asked = people + people[:3]
        by_id = decide_by_id(session, question, [person.number for person in asked])
        by_address = decide_by_address(session, question, [person.address_index for person in asked])
        assert by_id == [_expected(question, person, by_address=False) for person in asked]
        assert by_address == [_expected(question, person, by_address=True) for person in asked]
    finally:
        session.rollback()


def test_twin_equals_the_pure_decision_for_every_pair_of_permissions_under_every_pair_of_purposes(
    session: Session,
) -> None:
    """Exhaustive where it is finite: a purpose and its topic, each with every act, basis and order of the two."""
    ids = _ids(session)
    acts = (Act.GIVEN, Act.OBJECTION_LIFTED, Act.WITHDRAWN)
    times = (AT - timedelta(hours=2), AT - timedelta(hours=1))
    states = [NO_CHOICE, *(Choice(*one, 1) for one in product(acts, (None, *LawfulBasis), times))]
    people = [Person(number, RecipientStatus.ACTIVE, pair, ()) for number, pair in _numbered(states, states)]
    kinds = list(product(LawfulBasis, (True, False)))
    paths = [
        [_purpose(ids[0], None, *above), _purpose(ids[1], ids[0], *below)] for above, below in product(kinds, kinds)
    ]
    _assert_equal(session, people, paths)


def test_twin_equals_the_pure_decision_for_every_pair_of_pauses(session: Session) -> None:
    ids, hour = _ids(session), timedelta(hours=1)
    begins, ends = (AT - 3 * hour, AT - 2 * hour), (None, AT - hour, AT, AT + hour, AT + 2 * hour)
    permissions = (NO_CHOICE, Choice(Act.GIVEN, LawfulBasis.CONSENT, AT - 2 * hour, 1))
    states = [
        replace(permission, paused_at=begin, paused_until=end, pause_entry_id=2)
        for permission, begin, end in product(permissions, begins, ends)
    ]
    people = [Person(number, RecipientStatus.ACTIVE, pair, ()) for number, pair in _numbered(states, states)]
    consent = LawfulBasis.CONSENT
    _assert_equal(session, people, [[_purpose(ids[0], None, consent, True), _purpose(ids[1], ids[0], consent, True)]])


def test_twin_equals_the_pure_decision_for_every_suppression_and_every_pair_of_reasons(session: Session) -> None:
    ids, scopes = _ids(session), (SuppressionScope.ALL, SuppressionScope.INFORMATIONAL)
    single = [(Suppression(reason, scope),) for reason, scope in product(SuppressionReason, scopes)] + [
        (Suppression(reason, SuppressionScope.PURPOSE, PurposeId(purpose_id)),)
        for reason, purpose_id in product(SuppressionReason, ids)
    ]
    pairs = [
        tuple(Suppression(reason, SuppressionScope.ALL) for reason in two) for two in combinations(SuppressionReason, 2)
    ]
    people = [
        Person(n, one[0], (NO_CHOICE,) * 2, one[1]) for n, one in _numbered([None, *RecipientStatus], single + pairs)
    ]
    path = [_purpose(ids[0], None, *_INTEREST), _purpose(ids[1], ids[0], *_INTEREST)]
    publication = [replace(purpose, about=About.PUBLICATION) for purpose in path]
    _assert_equal(session, people, [path, path[:1], publication, publication[:1]])


_INTEREST = (LawfulBasis.LEGITIMATE_INTEREST, False)


def _numbered(*pools: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(product(*pools), start=1)


def _assert_equal(session: Session, people: Sequence[Person], paths: Sequence[Sequence[Purpose]]) -> None:
    _store(session, Question(path=tuple(paths[0]), at=AT, asked_at=AT), people)
    for path in paths:
        question = Question(path=tuple(path), at=AT, asked_at=AT)
        by_id = decide_by_id(session, question, [person.number for person in people])
        by_address = decide_by_address(session, question, [person.address_index for person in people])
        shown = [replace(person, choices=person.choices[: len(path)]) for person in people]
        assert by_id == [_expected(question, person, by_address=False) for person in shown]
        assert by_address == [_expected(question, person, by_address=True) for person in shown]


def _ids(session: Session) -> tuple[int, int, int]:
    """Three purposes that exist; what they are is made up for each question."""
    marketing, news, events = (catalogue(session).by_key(key) for key in ("marketing", "product_news", "events"))
    return marketing.purpose.id, news.purpose.id, events.purpose.id
