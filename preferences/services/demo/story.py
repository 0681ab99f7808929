"""A quarter of a year at the demo's company, so that the admin pages have something to tell: sign-ups, opt-outs, a scanner,
requests and takedowns that wait.

Everything is done through the services real data comes through, each at its own time, the oldest first: the ledger's order is
the order of time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from importlib.resources import files
from itertools import chain, count
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.capability import Capability, Claims
from preferences.domain.intake import IncomingRecipient
from preferences.domain.photo import TakedownWhat
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.domain.reasons import StopReason
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import RightsKind
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_address
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.choices.stop_reasons import give_reason
from preferences.services.choices.unsubscribe import unsubscribe
from preferences.services.intake.intake import apply_intake
from preferences.services.outbox.messages import number_message
from preferences.services.photos.takedown import NewTakedown, request_takedown, start_takedown
from preferences.services.photos.trainings import add_participants, add_training
from preferences.services.rights.rights import take_request

WEEK = timedelta(weeks=1)
Happening = tuple[datetime, Callable[[datetime], object]]
"""When, and what is done then."""


@cache
def story() -> Mapping[str, Any]:
    """What happens, as written down beside this file."""
    return tomllib.loads(files("preferences.services.demo").joinpath("story.toml").read_text(encoding="utf-8"))


def begins_at(now: datetime) -> datetime:
    """When the first of it happens."""
    return now - len(story()["weeks"]["leave"]) * WEEK


def play_story(session: Session, mailer_id: int, *, now: datetime) -> None:
    """Let it happen, up to this moment."""
    told = story()
    people = _take_in(session, told["companies"], mailer_id, begins_at(now))
    teller = _Teller(session, told, people, mailer_id, now)
    happenings = chain(teller.weeks(), teller.scanner(), teller.requests(), teller.takedowns())
    for at, happen in sorted(happenings, key=itemgetter(0)):
        happen(at)
    teller.add_coming_training()


def _take_in(
    session: Session, companies: list[Mapping[str, Any]], mailer_id: int, now: datetime
) -> dict[str, list[RecipientView]]:
    """Everybody, by the domain of the company."""
    rows: list[IncomingRecipient] = []
    for company in companies:
        for name in company["people"]:
            address = parse_address(f"{_local_part(name)}@{company['domain']}")
            rows.append(IncomingRecipient(line=len(rows) + 1, address=address, name=name, locale="sv"))
    apply_intake(session, rows, source="api:demo", method=Method.API, actor=Actor.MAILER, actor_id=mailer_id, now=now)
    found: dict[str, list[RecipientView]] = {}
    for row in rows:
        person = recipient_by_address(session, row.address) if row.address else None
        if person is not None and row.address is not None:
            found.setdefault(row.address.domain, []).append(person)
    return found


def _local_part(name: str) -> str:
    """As companies write their people's addresses: Gerd Öst is gerd.ost."""
    plain = str.maketrans("åäöéć", "aaoec")
    return ".".join(name.lower().translate(plain).split())


@dataclass(frozen=True, slots=True)
class _Teller:
    """Knows who is there, and turns what is written down into what is done."""

    session: Session
    told: Mapping[str, Any]
    people: Mapping[str, list[RecipientView]]
    mailer_id: int
    now: datetime

    def weeks(self) -> Iterator[Happening]:
        """Yeses by the forms, and opt-outs by the newsletter of the week; by turns, so that it is the same in every demo."""
        weeks, turn = self.told["weeks"], count()
        asked = [one for domain, all_of_it in self.people.items() if domain != self._scanned for one in all_of_it]
        yes = {form["purpose"]: count(number * 7) for number, form in enumerate(self.told["forms"])}
        said: list[RecipientView] = []
        for number, (new, leaving) in enumerate(zip(weeks["yes"], weeks["leave"], strict=True)):
            at = begins_at(self.now) + number * WEEK
            for form, several in zip(self.told["forms"], new, strict=True):
                for place in range(several):
                    person = asked[next(yes[form["purpose"]]) % len(asked)]
                    if form["purpose"] == self.told["message"]["purpose"]:
                        said.append(person)
                    yield at + timedelta(hours=9 + 7 * place), partial(self._say_yes, person, form)
            for place in range(leaving):
                yield at + timedelta(days=4, hours=3 * place), partial(self._leave, said.pop(0), at, next(turn))

    def scanner(self) -> Iterator[Happening]:
        """Everybody of one company, seconds apart."""
        plan = self.told["scanner"]
        at = (self.now - timedelta(minutes=plan["minutes_ago"])).replace(second=2, microsecond=0)
        purpose = self._purpose("events")
        for place, person in enumerate(self.people[self._scanned]):
            yield (
                at + timedelta(seconds=3 * place),
                partial(self._stop, person, purpose, Method.ONE_CLICK, plan["message"]),
            )

    def requests(self) -> Iterator[Happening]:
        """People ask, and wait for an answer."""
        for one in self.told["requests"]:
            yield self.now - timedelta(days=one["days"]), partial(self._ask, one)

    def takedowns(self) -> Iterator[Happening]:
        """People want something published removed."""
        for one in self.told["takedowns"]:
            yield self.now - timedelta(days=one["days"]), partial(self._ask_to_remove, one)

    def add_coming_training(self) -> None:
        """Nobody has been told of the pictures there yet."""
        plan = self.told["training"]
        held_on = (self.now + timedelta(days=plan["days"])).date()
        training_id = add_training(
            self.session, title=plan["title"], place=plan["place"], held_on=held_on, now=self.now
        )
        taking_part = [format_recipient_id(one.id) for domain in plan["companies"] for one in self.people[domain]]
        add_participants(self.session, training_id, taking_part, now=self.now)

    @property
    def _scanned(self) -> str:
        return str(self.told["scanner"]["company"])

    def _purpose(self, key: str) -> Purpose:
        return catalogue(self.session).by_key(key).purpose

    def _person(self, address: str) -> RecipientView:
        found = recipient_by_address(self.session, parse_address(address))
        if found is None:
            raise LookupError(f"The story tells of {address}, who is not in it.")
        return found

    def _ask(self, one: Mapping[str, Any], at: datetime) -> None:
        who, kind = self._person(one["who"]), RightsKind(one["kind"])
        take_request(self.session, who.id, kind, details=one.get("details", {}), locale="sv", now=at)

    def _ask_to_remove(self, one: Mapping[str, Any], at: datetime) -> None:
        new = NewTakedown(url=one["url"], what=TakedownWhat(one["what"]), note=one.get("note", ""))
        reference = request_takedown(self.session, self._person(one["who"]), new, locale="sv", now=at)
        if one.get("is_begun"):
            start_takedown(self.session, reference)

    def _say_yes(self, person: RecipientView, form: Mapping[str, Any], at: datetime) -> None:
        new = NewAct(
            recipient_id=person.id,
            purpose=self._purpose(form["purpose"]),
            act=Act.GIVEN,
            basis=LawfulBasis.CONSENT,
            method=Method.IMPORT,
            actor=Actor.MAILER,
            actor_id=self.mailer_id,
            occurred_at=at,
            evidence={"source": form["source"], "wording": form["wording"]},
        )
        record_act(self.session, new, now=at)

    def _leave(self, person: RecipientView, week: datetime, turn: int, at: datetime) -> None:
        """By the newsletter of that week; some say why."""
        weeks, message = self.told["weeks"], self.told["message"]
        way, reason = weeks["ways"][turn % len(weeks["ways"])], weeks["reasons"][turn % len(weeks["reasons"])]
        name = message["name"].format(week=week.isocalendar().week)
        entry_id = self._stop(person, self._purpose(message["purpose"]), Method(way), name, at)
        if reason and entry_id is not None:
            own = Claims(Capability.UNDO, person.id, 0, 0, at, reference=entry_id)
            give_reason(self.session, own, StopReason(reason), now=at)

    def _stop(self, person: RecipientView, purpose: Purpose, way: Method, message: str, at: datetime) -> int | None:
        reference = number_message(self.session, self.mailer_id, message, now=at)
        claims = Claims(Capability.UNSUBSCRIBE, person.id, purpose.id, person.link_epoch, at, reference=reference)
        return unsubscribe(self.session, claims, method=way, now=at).entry_id
