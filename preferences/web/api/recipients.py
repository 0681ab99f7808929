"""`PUT /recipients` in bulk; `GET` and `DELETE /recipients/{id}`: one, and its erasure."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from preferences.domain.acts import Actor, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.intake import IncomingRecipient, Outcome, RowResult
from preferences.domain.recipient_id import format_recipient_id, read_recipient_id
from preferences.domain.scopes import Scope
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.bulk import TakenMeanwhile
from preferences.queries.choices.choices import standing
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.intake.intake import apply_intake
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.recipients.recipients import UnknownRecipient
from preferences.web.access import Access, access

from . import blueprint
from .answers import Answer
from .calls import Call, Effect, call
from .choices import ChoiceState, state_as_json
from .incoming import RecipientsPut, read_rows
from .problems import busy
from .types import Moment, Nothing, write_moment


class RowOutcome(BaseModel):
    """What became of one row. `held`: it would lift what the person stopped; `invalid`: something in it cannot be used."""

    row: Annotated[int, Field(description="From 1, in the order given.")]
    outcome: Outcome
    id: Annotated[str | None, Field(description="The recipient's id.")] = None
    reason: Annotated[str | None, Field(description="A code, with `held` and `invalid`.")] = None
    detail: str | None = None


class RecipientsTaken(BaseModel):
    """One result for each row, in order."""

    results: list[RowOutcome]


class ChoiceShown(ChoiceState):
    """A choice, for a purpose or topic and, with photos, perhaps for one training."""

    purpose: str
    training: int | None


class SuppressionShown(BaseModel):
    """What stands in the way of the address."""

    reason: SuppressionReason
    scope: SuppressionScope
    purpose: str | None


class RecipientShown(BaseModel):
    """A recipient with everything that is known. Of an erased one only id, status and times are left."""

    id: str
    status: RecipientStatus
    email: str | None
    external_id: str | None
    locale: str | None
    name: str | None
    profile: dict[str, str]
    source: str
    created_at: Moment
    updated_at: Moment
    choices: list[ChoiceShown]
    suppressions: list[SuppressionShown]


class RecipientErased(BaseModel):
    """The proof of an erasure."""

    id: str
    status: RecipientStatus
    erased_at: Moment


@blueprint.put("/recipients")
@access(Access.MAILER)
@call(
    scope=Scope.RECIPIENTS_WRITE,
    summary="Add or change up to 10,000 recipients",
    takes=RecipientsPut,
    gives=RecipientsTaken,
    effect=Effect.CHANGES,
    bulk="recipients",
    rows="results",
)
def put_recipients(call: Call[RecipientsPut]) -> Answer:
    """All rows are taken in together or, where the request cannot be read, none. An opt-out is never lifted: `held`."""
    rows = read_rows(call.body.recipients)
    try:
        taken = apply_intake(
            call.session,
            [row for row in rows if isinstance(row, IncomingRecipient)],
            source=call.source,
            method=Method.API,
            actor=Actor.MAILER,
            actor_id=call.key.mailer.id,
            now=call.now,
        )
    except TakenMeanwhile:
        raise busy() from None
    results = [*taken, *(row for row in rows if isinstance(row, RowResult))]
    results.sort(key=lambda result: result.line)
    return Answer({"results": [_row_as_json(result) for result in results]}, rows="results")


@blueprint.get("/recipients/<recipient>")
@access(Access.MAILER)
@call(
    scope=Scope.RECIPIENTS_READ,
    summary="Show a recipient",
    takes=Nothing,
    gives=RecipientShown,
    effect=Effect.READS,
    problems=(404,),
)
def get_recipient(call: Call[Nothing], recipient: str) -> Answer:
    """By id only: an address in a path would end up in logs. `PUT /recipients` tells the id of an address."""
    number = read_recipient_id(recipient)
    found = None if number is None else recipient_by_id(call.session, number)
    if found is None:
        raise UnknownRecipient("There is no recipient with this id.")
    return Answer(_recipient_as_json(call.session, found))


@blueprint.delete("/recipients/<recipient>")
@access(Access.MAILER)
@call(
    scope=Scope.RECIPIENTS_WRITE,
    summary="Erase a recipient",
    takes=Nothing,
    gives=RecipientErased,
    effect=Effect.CHANGES,
    problems=(404,),
)
def delete_recipient(call: Call[Nothing], recipient: str) -> Answer:
    """GDPR 17: everything personal is gone, and the address is never mailed again. Repeating it changes nothing."""
    number = read_recipient_id(recipient)
    if number is None:
        raise UnknownRecipient("There is no recipient with this id.")
    erased = erase_recipient(call.session, number, source=call.source, now=call.now)
    body = {
        "id": format_recipient_id(erased.recipient_id),
        "status": RecipientStatus.ERASED.value,
        "erased_at": write_moment(erased.erased_at),
    }
    return Answer(body)


def _recipient_as_json(session: Session, found: RecipientView) -> dict[str, Any]:
    where = standing(session, recipient_id=found.id, status=found.status, address_index=found.address_index)
    keys = {int(entry.purpose.id): entry.purpose.key for entry in catalogue(session).all()}
    return {
        "id": format_recipient_id(found.id),
        "status": found.status.value,
        "email": found.address,
        "external_id": found.external_id,
        "locale": found.locale,
        "name": found.name,
        "profile": dict(found.profile),
        "source": found.source,
        "created_at": write_moment(found.created_at),
        "updated_at": write_moment(found.updated_at),
        "choices": [
            {"purpose": keys[purpose], "training": training or None, **state_as_json(choice)}
            for (purpose, training), choice in sorted(where.choices.items(), key=lambda item: item[0])
        ],
        "suppressions": [
            {"reason": one.reason.value, "scope": one.scope.value, "purpose": keys.get(one.purpose_id or 0)}
            for one in where.suppressions
        ],
    }


def _row_as_json(result: RowResult) -> dict[str, Any]:
    row: dict[str, Any] = {"row": result.line, "outcome": result.outcome.value}
    if result.recipient_id is not None:
        row["id"] = format_recipient_id(result.recipient_id)
    if result.reason is not None:
        row |= {"reason": result.reason, "detail": result.detail}
    return row
