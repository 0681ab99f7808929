"""Sign-up forms: add, find, archive. The one at `/subscribe` is there without being added."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.sign_up import DEFAULT_FORM, SignUpForm, can_be_signed_up_for, check_form, is_form_key
from preferences.models.sign_up import SignUpFormRow
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.purposes.sign_up import sign_up_form, sign_up_forms

_MARKETING = "marketing"


def add_form(
    session: Session, key: str, *, headings: Mapping[str, str], purpose_keys: Sequence[str], now: datetime
) -> SignUpForm:
    """Add a form. Raises InvalidValue, UnknownPurpose, or Conflict when there is, or was, one with this key."""
    known = catalogue(session)
    check_form(key, headings, [known.by_key(one, pointer="/purposes").purpose for one in purpose_keys])
    if sign_up_form(session, key) is not None:
        raise _taken(key)
    clean = {locale: heading.strip() for locale, heading in headings.items()}
    try:
        session.execute(
            insert(SignUpFormRow),
            {"key": key, "headings": clean, "purpose_keys": list(purpose_keys), "created_at": now},
        )
    except IntegrityError as error:  # somebody else has just added it
        raise _taken(key) from error
    return SignUpForm(key, clean, tuple(purpose_keys))


def archive_form(session: Session, key: str, *, now: datetime) -> None:
    """Close a form. Links in mail that is under way still confirm. Repeating it changes nothing.

    The implied form is closed by storing it as archived. Raises NotFound.
    """
    if sign_up_form(session, key) is None:
        implied = find_form(session, key)
        session.execute(
            insert(SignUpFormRow),
            {
                "key": key,
                "headings": {},
                "purpose_keys": list(implied.purpose_keys),
                "created_at": now,
                "archived_at": now,
            },
        )
        return
    session.execute(
        update(SignUpFormRow)
        .where(SignUpFormRow.key == key, SignUpFormRow.archived_at.is_(None))
        .values(archived_at=now)
    )


def find_form(session: Session, key: str) -> SignUpForm:
    """The open form with this key. Raises NotFound when there is none, or when it is archived."""
    found = sign_up_form(session, key) if is_form_key(key) else None
    if found is None and key == DEFAULT_FORM:
        return _implied(catalogue(session))
    if found is None or found.archived_at is not None:
        raise NotFound("There is no sign-up form with this name.")
    return found


def all_forms(session: Session) -> list[SignUpForm]:
    """Every form, archived ones too; the implied one first where it was not replaced."""
    added = sign_up_forms(session)
    if any(one.key == DEFAULT_FORM for one in added):
        return added
    return [_implied(catalogue(session)), *added]


def forms_offering(session: Session, keys: Collection[str]) -> list[SignUpForm]:
    """The open forms that offer one of these purposes."""
    return [one for one in all_forms(session) if one.archived_at is None and not set(keys).isdisjoint(one.purpose_keys)]


def offered(known: Catalogue, form: SignUpForm) -> list[Described]:
    """What the form offers now, topics behind their purpose. Raises NotFound when nothing of it is in use any more."""
    on_form = [
        one
        for top in known.purposes()
        for one in (top, *known.topics(top.purpose))
        if one.purpose.key in form.purpose_keys and can_be_signed_up_for(one.purpose)
    ]
    if not on_form:
        raise NotFound("Nothing that this form offered is in use any more.")
    return on_form


def _taken(key: str) -> Conflict:
    return Conflict(f"There is a form named {key}, perhaps archived: choose another key.", pointer="/key")


def _implied(known: Catalogue) -> SignUpForm:
    top = next((one for one in known.purposes() if one.purpose.key == _MARKETING), None)
    keys = () if top is None else (_MARKETING, *(one.purpose.key for one in known.topics(top.purpose)))
    return SignUpForm(DEFAULT_FORM, {}, keys)
