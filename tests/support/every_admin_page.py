"""An organisation that has used everything for a while, and the address of every admin page in it."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from preferences.domain.acts import Actor
from preferences.domain.policy import PolicyText, Weight
from preferences.domain.purpose import NoticeText
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.domain.webhooks import AttemptCode
from preferences.integrations.csv_mapping import look_into
from preferences.models.endpoint import AttemptRow
from preferences.models.passkey import PasskeyRow
from preferences.queries.imports.imports import ImportView
from preferences.queries.mailers.mailers import keys_of, mailer_by_key
from preferences.queries.photos.takedowns import takedowns_to_work
from preferences.queries.purposes.notice_versions import published_purposes
from preferences.queries.rights.rights_queue import open_requests
from preferences.queries.staff.bursts import recent_bursts
from preferences.queries.staff.staff import StaffView
from preferences.services.demo.demo import DEMO_MAILER, seed_demo, shown_recipient
from preferences.services.esp.hooks import add_hook
from preferences.services.imports.imports import store_import
from preferences.services.imports.steps import choose_columns
from preferences.services.policy.policy import begin_announcement, publish_policy
from preferences.services.purposes.purposes import publish_version
from preferences.services.sign_up.forms import add_form
from preferences.services.webhooks.mailers import issue_key
from preferences.web.access import Access, declared_access
from preferences.web.admin.transfers.imports import tools
from tests.factories import make_recipient

from .admin_imports import run
from .seals import seal
from .trainings import make_training, tell
from .webhooks import make_endpoint

NOW = datetime.now(UTC)
FILE = """E-post;Namn;Företag;purpose;act;occurred_at;source
åsa.öberg@exempel.example;Åsa Öberg;Bröderna Ås Måleri AB;marketing;given;2024-05-01;mässan
johan.berg@granit.example;Johan Berg;Nordvik Värme AB;marketing;given;2024-05-01;mässan
ingen-adress;Kim;;marketing;given;2024-05-01;mässan
"""
PASSKEY = {"name": "Telefon", "transports": "internal", "made_at": NOW, "used_at": None}
NO_PAGES = frozenset(
    {"admin.ask_passkey_again", "admin.ask_new_passkey", "admin.begin_sign_on_again", "admin.ask_to_erase_as_asked"}
)
"""They answer scripts, lead to another site where that is set up, or belong to a kind of request that the demo has not open."""


def fill(session: Session, me: StaffView) -> dict[str, dict[str, Any]]:
    """Use everything for a while. Returns the values of addresses by the family of pages that they belong to."""
    seed_demo(session, now=NOW)
    session.commit()
    burst = recent_bursts(session, now=NOW)[0].key
    anna = shown_recipient(session)
    assert anna is not None
    training = make_training(session, anna, make_recipient(session, "bo@example.se", name="Bo Lindqvist"), days=9)
    tell(session, training)
    passkey = PasskeyRow(staff_id=me.id, credential_id=b"1", public_key=b"1", sign_count=0, **PASSKEY)
    session.add(passkey)
    session.commit()
    passkey_id = passkey.id  # what follows forgets what was read
    endpoint = _mailer(session)
    _texts(session)
    seal(session)
    found: dict[str, dict[str, Any]] = {
        "account": {"passkey_id": passkey_id},
        "bursts": {"key": burst},
        "forms": {"key": "hostmassan"},
        "imports": {"import_id": _imports(session)},
        "mailers": {"key": DEMO_MAILER, "number": endpoint, "provider": "sendgrid", "prefix": _prefix(session)},
        "policy": {"number": 2},
        "purposes": {"key": "marketing", "number": 2},
        "recipients": {"public_id": format_recipient_id(anna.id), "what": "manual"},
        "requests": {"reference": open_requests(session)[0].reference},
        "seals": {"number": 1},
        "staff": {"number": me.id},
        "takedowns": {"reference": takedowns_to_work(session)[0].reference},
        "trainings": {"training_id": training},
    }
    session.rollback()
    return found


def admin_pages(app: Flask, values: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Endpoint and path of every page that whoever is signed in can open."""
    return {
        rule.endpoint: _path(rule, values)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.")
        and "GET" in (rule.methods or ())
        and "." not in rule.rule.rsplit("/", 1)[1]  # a file, not a page
        and rule.endpoint not in NO_PAGES
        and declared_access(app.view_functions[rule.endpoint]) is Access.STAFF
    }


def _path(rule: Rule, values: dict[str, dict[str, Any]]) -> str:
    """The rule with the values of its family; a KeyError asks for one more value in `fill`."""
    family = values.get(rule.rule.split("/")[2], {}) if "<" in rule.rule else {}
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: str(family[name[1]]), rule.rule)


def _mailer(session: Session) -> int:
    """An endpoint with attempts, an ESP that reports, keys. Returns the endpoint's number."""
    endpoint, _ = make_endpoint(session, "https://hooks.demobutiken.example/preferences", mailer=DEMO_MAILER)
    mailer = mailer_by_key(session, DEMO_MAILER)
    assert mailer is not None
    tries = {"endpoint_id": endpoint.id, "delivery_id": 1, "event_id": 3}
    for number, (code, status) in enumerate(((AttemptCode.FAILED, 500), (AttemptCode.DELIVERED, 204)), start=1):
        at = NOW - timedelta(minutes=9 - number)
        answer = {"code": code, "status": status, "latency_ms": 80, "excerpt": "Internal Server Error"}
        session.add(AttemptRow(**tries, **answer, number=number, attempted_at=at))
    issue_key(session, DEMO_MAILER, [Scope.LINKS], now=NOW, expires_at=NOW + timedelta(days=20))
    add_hook(session, mailer_key=DEMO_MAILER, provider="sendgrid", secrets=HOOK_SECRETS, purpose_key=None, now=NOW)
    session.commit()
    return endpoint.id


HOOK_SECRETS = {"scheme": "basic", "password": "x" * 40}


def _prefix(session: Session) -> str:
    found = keys_of(session, DEMO_MAILER)[0].prefix
    session.rollback()
    return found


def _texts(session: Session) -> None:
    """A second version of a purpose, two of the policy of which the second is being announced, a sign-up form."""
    one = next(one for one in published_purposes(session) if one.purpose.key == "marketing")
    texts = [
        NoticeText(
            text.locale, text.title, f"{text.what} Högst två gånger i månaden.", text.why, text.who, text.how_long
        )
        for text in one.described.texts.values()
    ]
    publish_version(
        session,
        "marketing",
        texts=texts,
        lawful_basis=one.purpose.lawful_basis,
        customer_exception=one.purpose.customer_exception,
        based_on=one.described.number,
        now=NOW,
    )
    for years in ("sju", "fem"):
        policy = [
            PolicyText("sv", f"Vi sparar i {years} år.", f"# Tid\n\nVi sparar uppgifter i {years} år.\n\n- ett\n- två"),
            PolicyText("en", "A shorter time.", f"# Time\n\nWe keep it for {years} years.\n\n- one\n- two"),
        ]
        number = publish_policy(session, policy, Weight.MAJOR, wanted=("sv", "en"), now=NOW)
    begin_announcement(session, number, now=NOW)
    headings = {"sv": "Höstmässan", "en": "The autumn fair"}
    add_form(session, "hostmassan", headings=headings, purpose_keys=["marketing"], now=NOW)
    session.commit()


def _imports(session: Session) -> int:
    """An import with held rows that waits for a decision."""
    stream = io.BytesIO(FILE.encode())
    found = look_into(stream, time_zone="Europe/Stockholm")
    view: ImportView = store_import(
        tools(), stream, filename="mässan åäö.csv", reading=found.as_json(), actor=Actor.STAFF, actor_id=1
    )
    session.rollback()
    choose_columns(session, view.id, found.as_json(), before=view.reading)
    session.commit()
    run()
    return view.id
