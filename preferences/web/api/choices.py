"""`POST /choices`: a mailer reports an act that was made elsewhere, with its evidence (L2)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from preferences.domain.acts import Act
from preferences.domain.choice import Choice
from preferences.domain.purpose import LawfulBasis
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.ledger import EVERY_TRAINING
from preferences.queries.purposes.purposes import catalogue
from preferences.services.choices.choices import Report, Reporter, ReportOutcome, record_report
from preferences.services.recipients.recipients import find_recipient
from preferences.web.access import Access, access

from . import blueprint
from .answers import Answer
from .calls import Call, Effect, call
from .types import ActText, BasisText, Moment, PurposeKey, RecipientText, Strict, write_moment

MOST_TRAININGS = 2**63 - 1


class Evidence(Strict):
    """What backs an act. `given` and `objection_lifted` need a `source`; the customer exception needs all three of its own."""

    source: Annotated[
        str | None,
        Field(max_length=5000, description="Where the person did it.", examples=["https://shop.example/checkout"]),
    ] = None
    wording: Annotated[str | None, Field(max_length=5000, description="The exact text they saw.")] = None
    sale_reference: Annotated[str | None, Field(max_length=5000, description="Customer exception: the sale.")] = None
    similar_product: Annotated[
        bool | str | None, Field(description="Customer exception: what is sold is similar, or how.")
    ] = None
    opt_out_offered: Annotated[
        bool | str | None, Field(description="Customer exception: an opt-out was offered then, or how.")
    ] = None

    def content(self) -> dict[str, Any]:
        """The fields that are set."""
        return self.model_dump(exclude_none=True)


class ChoiceReported(Strict):
    """One act of one person."""

    recipient: RecipientText
    purpose: PurposeKey
    topic: PurposeKey | None = None
    act: ActText
    occurred_at: Annotated[Moment, Field(description="The person's own time; it decides which act is newest.")]
    basis: Annotated[BasisText | None, Field(description="With `given`: `consent` (assumed) or `soft_opt_in`.")] = None
    training: Annotated[int | None, Field(ge=1, le=MOST_TRAININGS, description="Photo purposes: one training.")] = None
    paused_until: Annotated[Moment | None, Field(description="With `paused`, and only then.")] = None
    evidence: Evidence = Evidence()


class ChoiceState(BaseModel):
    """A choice as it stands."""

    act: Act | None
    basis: LawfulBasis | None
    since: Moment | None
    paused_until: Moment | None


class ChoiceRecorded(BaseModel):
    """What became of a report. An older act than the one that counts is recorded and leaves the choice as it is."""

    id: str
    purpose: str
    outcome: ReportOutcome
    entry: Annotated[int | None, Field(description="The ledger entry; null when nothing new was recorded.")]
    choice: ChoiceState


@blueprint.post("/choices")
@access(Access.MAILER)
@call(
    scope=Scope.CHOICES_WRITE,
    summary="Record an act made elsewhere",
    takes=ChoiceReported,
    gives=ChoiceRecorded,
    effect=Effect.CHANGES,
    statuses=(200, 201),
    problems=(404, 409),
)
def record_choice(call: Call[ChoiceReported]) -> Answer:
    """Never lifts what the person stopped: such a report is answered 409 `held` with the reason, and nothing is recorded."""
    asked = call.body
    recipient = find_recipient(call.session, asked.recipient, pointer="/recipient")
    report = Report(
        path=catalogue(call.session).path(asked.purpose, asked.topic),
        act=asked.act,
        basis=asked.basis,
        training_id=asked.training or EVERY_TRAINING,
        occurred_at=asked.occurred_at,
        paused_until=asked.paused_until,
        evidence=asked.evidence.content(),
    )
    reporter = Reporter(call.key.mailer.id, call.source)
    recorded = record_report(call.session, recipient, report, reporter=reporter, now=call.now)
    body = {
        "id": format_recipient_id(recipient.id),
        "purpose": report.purpose.key,
        "outcome": recorded.outcome.value,
        "entry": recorded.entry_id,
        "choice": state_as_json(recorded.choice),
    }
    return Answer(body, status=201 if recorded.outcome is ReportOutcome.RECORDED else 200)


def state_as_json(choice: Choice) -> dict[str, Any]:
    """The members of ChoiceState."""
    return {
        "act": choice.act,
        "basis": choice.basis,
        "since": choice.since and write_moment(choice.since),
        "paused_until": choice.paused_until and write_moment(choice.paused_until),
    }
