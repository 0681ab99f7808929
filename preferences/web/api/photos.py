"""`GET /trainings` and its photo list, `POST /photo-check`: who may be published, by name and by image (L11, L17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from preferences.domain.eligibility import Allowed, Decision, Reason, check_at
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.ledger import EVERY_TRAINING
from preferences.queries.photos.trainings import trainings
from preferences.services.photos.photos import Listed, MayPublish, photo_check, photo_list
from preferences.services.photos.trainings import UnknownTraining
from preferences.web.access import Access, access

from . import blueprint
from .answers import Stream
from .calls import Call, Effect, call
from .types import LARGEST_ID, Moment, Nothing, RecipientText, Strict, read_number, write_moment

MOST_PEOPLE = 10_000


class TrainingShown(BaseModel):
    """A training or event at which photos are taken."""

    id: int
    title: str
    place: str
    held_on: Annotated[str, Field(description="The day, YYYY-MM-DD.")]
    participants: int
    cancelled_at: Annotated[Moment | None, Field(description="Since when it is cancelled; null: it takes place.")]
    notified: Annotated[int, Field(description="How many of them have got the notice before it.")]


class TrainingsShown(BaseModel):
    """Every training, those that come last first."""

    trainings: list[TrainingShown]
    count: int


class MayBePublished(BaseModel):
    """One answer, good for the moment it was asked about."""

    allowed: bool
    reason: Reason
    since: Annotated[Moment | None, Field(description="When the person answered, where they did.")]
    valid_until: Annotated[Moment | None, Field(description="Ask again after this.")]


class MayShown(BaseModel):
    """Name and image apart. Advertising needs `marketing` and the answer about what is shown."""

    name: MayBePublished
    image: MayBePublished
    marketing: MayBePublished


class ParticipantShown(BaseModel):
    """Somebody on the list, without the address. An erased person has neither name nor company."""

    id: str
    name: str | None
    company: str | None
    may: MayShown


class PhotoList(BaseModel):
    """Everybody who takes part, by name."""

    training: int
    asked_at: Moment
    people: list[ParticipantShown]
    count: int


class PhotoCheckAsked(Strict):
    """People in something that is about to be published."""

    training: Annotated[
        int | None, Field(ge=1, le=LARGEST_ID, description="The training it is from; left out: in general.")
    ] = None
    at: Annotated[
        Moment | None, Field(description="When it would be published, up to 90 days ahead. Now, unless given.")
    ] = None
    recipients: Annotated[list[RecipientText], Field(min_length=1)]


class Checked(BaseModel):
    """The answer about one recipient."""

    recipient: Annotated[str, Field(description="As asked for.")]
    may: MayShown


class PhotosChecked(BaseModel):
    """One result for each recipient asked for, in the same order."""

    training: int | None
    at: Moment
    results: list[Checked]
    count: int


@blueprint.get("/trainings")
@access(Access.MAILER)
@call(
    scope=Scope.PHOTOS_READ,
    summary="List trainings",
    takes=Nothing,
    gives=TrainingsShown,
    effect=Effect.READS,
    rows="trainings",
)
def list_trainings(call: Call[Nothing]) -> Stream:
    """Trainings and events at which photos are taken, with how many take part and how many were told before."""
    rows = (
        {
            "id": one.training.id,
            "title": one.training.title,
            "place": one.training.place,
            "held_on": one.training.held_on.isoformat(),
            "cancelled_at": one.training.cancelled_at and write_moment(one.training.cancelled_at),
            "participants": one.participants,
            "notified": one.notified,
        }
        for one in trainings(call.session)
    )
    return Stream(rows, name="trainings")


@blueprint.get("/trainings/<training>/photo-list")
@access(Access.MAILER)
@call(
    scope=Scope.PHOTOS_READ,
    summary="Who of a training may be published",
    takes=Nothing,
    gives=PhotoList,
    effect=Effect.READS,
    rows="people",
    problems=(404,),
)
def show_photo_list(call: Call[Nothing], training: str) -> Stream:
    """The list for the photographer before the training and for the editor after it. Check again just before publishing."""
    number = read_number(training)
    if number is None:
        raise UnknownTraining("There is no training with this number.")
    found = photo_list(call.session, number, at=call.now, asked_at=call.now)
    head = {"training": number, "asked_at": write_moment(call.now)}
    return Stream((_participant(one) for one in found), name="people", head=head)


@blueprint.post("/photo-check")
@access(Access.MAILER)
@call(
    scope=Scope.PHOTOS_READ,
    summary="Who may be published right now",
    takes=PhotoCheckAsked,
    gives=PhotosChecked,
    effect=Effect.READS,
    bulk="recipients",
    most_rows=MOST_PEOPLE,
    rows="results",
    problems=(404,),
)
def check_photos(call: Call[PhotoCheckAsked]) -> Stream:
    """Ask just before publishing. Whoever is unknown is refused: nothing says that they were ever told."""
    who, training = call.body.recipients, call.body.training
    at = check_at(call.body.at or call.now, call.now)
    may = photo_check(call.session, who, at=at, asked_at=call.now, training_id=training or EVERY_TRAINING)
    return Stream(_checked(who, may), name="results", head={"training": training, "at": write_moment(at)})


def _checked(who: Sequence[str], may: Sequence[MayPublish]) -> Iterator[dict[str, Any]]:
    for recipient, one in zip(who, may, strict=True):
        yield {"recipient": recipient, "may": _may(one)}


def _participant(one: Listed) -> dict[str, Any]:
    person = one.person
    return {
        "id": format_recipient_id(person.recipient_id),
        "name": person.name,
        "company": person.company,
        "may": _may(one.may),
    }


def _may(one: MayPublish) -> dict[str, Any]:
    return {"name": _decision(one.name), "image": _decision(one.image), "marketing": _decision(one.marketing)}


def _decision(one: Decision) -> dict[str, Any]:
    return {
        "allowed": isinstance(one, Allowed),
        "reason": one.reason.value,
        "since": one.since and write_moment(one.since),
        "valid_until": one.until and write_moment(one.until),
    }
