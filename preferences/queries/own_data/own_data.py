"""Everything that is stored about one person, for the person (GDPR 15, 20; L8). Whoever stores more adds it here.

tests/support/copied.py holds this to the tables: a column about a person is in the copy, or has a reason not to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.choice import Choice
from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.rights import IdentityState, RequestChannel, RightsKind, RightsState
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.ledger import ChoiceRow, ConfirmationRow
from preferences.models.photo import TakedownRow
from preferences.models.rights import AddressChangeRow, RightsRequestRow
from preferences.models.sign_up import SignUpRow
from preferences.models.suppression import SuppressionRow
from preferences.models.training import TrainingRow
from preferences.queries.choices.choices import CHOICE_COLUMNS
from preferences.queries.choices.history import HistoryEntry, OwnTraining, history
from preferences.queries.purposes.policy import OwnPolicyNotice, own_policy_notices
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView

from .own_mail import OwnMailEntry, OwnReport, StepUpEntry, Told, own_mails, own_reports, step_ups, told
from .own_trainings import Participation, own_trainings


@dataclass(frozen=True, slots=True)
class OwnChoice:
    """The state of one purpose, in general or for one training."""

    purpose_key: str
    title: str
    training: OwnTraining | None
    choice: Choice


@dataclass(frozen=True, slots=True)
class OwnSuppression:
    """One stop of the address, lifted ones too."""

    reason: SuppressionReason
    scope: SuppressionScope
    purpose_key: str | None
    title: str | None
    source: str
    since: datetime
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """One rights request, with its due date (L5)."""

    reference: str
    kind: RightsKind
    state: RightsState
    details: Mapping[str, Any] | None
    locale: str
    received_at: datetime
    due_on: date
    extension_reason: str | None
    closed_at: datetime | None
    answer: str | None
    channel: RequestChannel
    identity: IdentityState
    identity_proof: str | None


@dataclass(frozen=True, slots=True)
class OwnTakedown:
    """One request to remove something published."""

    reference: str
    training_id: int
    url: str | None
    what: TakedownWhat
    note: str | None
    state: TakedownState
    requested_at: datetime
    closed_at: datetime | None
    answer: str | None
    proof: str | None


@dataclass(frozen=True, slots=True)
class OwnAddressChange:
    """One change of address, done or not."""

    new_address: str | None
    locale: str
    asked_at: datetime
    expires_at: datetime
    old_confirmed_at: datetime | None
    new_confirmed_at: datetime | None
    done_at: datetime | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnConfirmation:
    """Something asked to be turned on, confirmed or not. `asked` names purposes by key."""

    asked: tuple[tuple[str, Act], ...]
    locale: str
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnSignUp:
    """One filled-in sign-up form with this address."""

    form_key: str
    address: str | None
    name: str | None
    purpose_keys: tuple[str, ...]
    locale: str
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OwnData:
    """The whole of it. Never logged."""

    recipient: RecipientView
    choices: Sequence[OwnChoice]
    history: Sequence[HistoryEntry]
    suppressions: Sequence[OwnSuppression]
    trainings: Sequence[Participation]
    requests: Sequence[OwnRequest]
    takedowns: Sequence[OwnTakedown]
    address_changes: Sequence[OwnAddressChange]
    confirmations: Sequence[OwnConfirmation]
    sign_ups: Sequence[OwnSignUp]
    mails: Sequence[OwnMailEntry]
    reports: Sequence[OwnReport]
    policy_notices: Sequence[OwnPolicyNotice]
    step_ups: Sequence[StepUpEntry]
    told: Sequence[Told]


def own_data(session: Session, recipient: RecipientView, *, locale: str, default_locale: str) -> OwnData:
    """Everything stored about this person; titles of purposes in the language asked for."""
    return OwnData(
        recipient=recipient,
        choices=own_choices(session, recipient, locale=locale, default_locale=default_locale),
        history=history(session, recipient.id, locale=locale, default_locale=default_locale),
        suppressions=own_suppressions(session, recipient, locale=locale, default_locale=default_locale),
        trainings=own_trainings(session, recipient),
        requests=own_requests(session, recipient),
        takedowns=own_takedowns(session, recipient),
        address_changes=_all(
            session, OwnAddressChange, AddressChangeRow, AddressChangeRow.recipient_id == recipient.id
        ),
        confirmations=_confirmations(session, recipient),
        sign_ups=_sign_ups(session, recipient),
        mails=own_mails(session, recipient.id),
        reports=own_reports(session, recipient),
        policy_notices=own_policy_notices(session, recipient.id),
        step_ups=step_ups(session, recipient.id),
        told=told(session, recipient.id),
    )


def own_choices(session: Session, recipient: RecipientView, *, locale: str, default_locale: str) -> list[OwnChoice]:
    """The stored state of every purpose that was ever answered, archived ones too."""
    known = catalogue(session)
    rows: Any = session.execute(
        select(ChoiceRow.purpose_id, TrainingRow, *CHOICE_COLUMNS)
        .outerjoin(TrainingRow, TrainingRow.id == ChoiceRow.training_id)
        .where(ChoiceRow.recipient_id == recipient.id)
        .order_by(ChoiceRow.purpose_id, ChoiceRow.training_id)
    )
    found = []
    for purpose_id, training, *choice in rows:
        described = known.by_id(purpose_id)
        if described is not None:
            title = described.text(locale, default_locale).title
            found.append(OwnChoice(described.purpose.key, title, _training(training), Choice(*choice)))
    return found


def own_suppressions(
    session: Session, recipient: RecipientView, *, locale: str, default_locale: str
) -> list[OwnSuppression]:
    """Every stop of the address that was ever recorded, newest first."""
    known = catalogue(session)
    rows = session.scalars(
        select(SuppressionRow)
        .where(SuppressionRow.address_index == recipient.address_index)
        .order_by(SuppressionRow.created_at.desc(), SuppressionRow.id.desc())
    )
    found = []
    for row in rows:
        described = known.by_id(row.purpose_id)
        key = None if described is None else described.purpose.key
        title = None if described is None else described.text(locale, default_locale).title
        found.append(OwnSuppression(row.reason, row.scope, key, title, row.source, row.created_at, row.lifted_at))
    return found


def own_requests(session: Session, recipient: RecipientView) -> list[OwnRequest]:
    """The person's rights requests, newest first."""
    return _all(session, OwnRequest, RightsRequestRow, RightsRequestRow.recipient_id == recipient.id)


def own_takedowns(session: Session, recipient: RecipientView) -> list[OwnTakedown]:
    """What the person asked to have removed, newest first."""
    return _all(session, OwnTakedown, TakedownRow, TakedownRow.recipient_id == recipient.id)


def _confirmations(session: Session, recipient: RecipientView) -> list[OwnConfirmation]:
    rows = session.scalars(
        select(ConfirmationRow).where(ConfirmationRow.recipient_id == recipient.id).order_by(ConfirmationRow.id.desc())
    )
    return [
        OwnConfirmation(
            tuple((_key(session, item["purpose_id"]), Act(item["act"])) for item in row.asked),
            row.locale,
            row.asked_at,
            row.expires_at,
            row.confirmed_at,
            row.cancelled_at,
        )
        for row in rows
    ]


def _sign_ups(session: Session, recipient: RecipientView) -> list[OwnSignUp]:
    rows = session.scalars(
        select(SignUpRow).where(SignUpRow.address_index == recipient.address_index).order_by(SignUpRow.id.desc())
    )
    return [
        OwnSignUp(
            row.form_key,
            row.address,
            row.name,
            tuple(_key(session, item["purpose_id"]) for item in row.asked),
            row.locale,
            row.asked_at,
            row.expires_at,
            row.confirmed_at,
        )
        for row in rows
    ]


def _all(session: Session, view: Any, model: Any, condition: ColumnElement[bool]) -> list[Any]:
    """The rows as values: the fields of `view` are columns of `model`."""
    columns = [getattr(model, name) for name in view.__dataclass_fields__]
    rows = session.execute(select(*columns).where(condition).order_by(model.id.desc()))
    return [view(*row) for row in rows]


def _training(row: TrainingRow | None) -> OwnTraining | None:
    return None if row is None else OwnTraining(row.id, row.title, row.held_on)


def _key(session: Session, purpose_id: int) -> str:
    found = catalogue(session).by_id(purpose_id)
    return "" if found is None else found.purpose.key
