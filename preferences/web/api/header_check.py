"""`POST /header-check`: is a message fit for one-click? The header doctor for mailers (M1, T8, T9)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from flask import current_app
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, model_validator

from preferences.domain.request_shapes import LinkState, Shape, Verdict
from preferences.domain.scopes import Scope
from preferences.integrations.header_doctor import examine
from preferences.integrations.header_doctor_codes import Code, Severity
from preferences.integrations.header_doctor_words import finding_as_json
from preferences.integrations.link_rehearsal_words import SHAPES, STATES, VERDICTS, request_as_json
from preferences.services.recipients.link_rehearsal import LinkRehearsal, is_our_link, rehearse_link
from preferences.web.access import Access, access
from preferences.web.locale import speak
from preferences.web.plumbing import settings, signer

from . import blueprint
from .answers import Answer
from .bodies import RawBody
from .calls import Call, Effect, call
from .types import Strict


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("must be the text of a message")
    return value.encode()


RawMessageText = Annotated[
    bytes,
    BeforeValidator(_as_bytes),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The whole message as it was sent, headers first, line ends included; at most 10 MB.",
        }
    ),
]


_ONE_OF_THEM = [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("message", "url")]


class MessageToCheck(Strict, json_schema_extra={"anyOf": _ONE_OF_THEM}):
    """A raw message, a link of this service, or both. As `message/rfc822` a message comes byte for byte: they are judged."""

    message: RawMessageText | None = None
    url: Annotated[
        str | None,
        Field(max_length=1000, description="An unsubscribe link of this service; the message's own unless given."),
    ] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.message is None and self.url is None:
            raise ValueError("give a message, a url, or both")
        return self


class FindingShown(BaseModel):
    """One thing found. Act on `code`: it never changes its meaning."""

    code: Code
    severity: Severity
    about: Annotated[str | None, Field(description="Narrows it down: the domain of a DKIM signature.")]
    sentence: str


class RequestTried(BaseModel):
    """One kind of request that mail programs, providers and gateways send, and what the link did with it."""

    shape: Shape
    status: int
    redirects: bool
    changed: Annotated[bool, Field(description="Whether it stopped something. Everything was undone afterwards.")]
    verdict: Verdict
    sentence: str


class LinkTried(BaseModel):
    """A link of this service, tried with every kind of request."""

    state: LinkState
    sentence: str
    requests: list[RequestTried]


class HeadersChecked(BaseModel):
    """Everything found, the worst first."""

    sound: Annotated[bool, Field(description="Whether nothing was found that breaks one-click.")]
    findings: list[FindingShown]
    link: Annotated[LinkTried | None, Field(description="Null where there is no link of this service.")]


@blueprint.post("/header-check")
@access(Access.MAILER)
@call(
    scope=Scope.HEADER_CHECK,
    summary="Examine a raw message, or try a link",
    takes=MessageToCheck,
    gives=HeadersChecked,
    effect=Effect.READS,
    raw=RawBody("message/rfc822", "message"),
)
def check_headers(call: Call[MessageToCheck]) -> Answer:
    """Judges the bytes and looks nothing up; tries a link of this service with every kind of request, and undoes what they did.

    The message is neither stored nor logged, and no address of it is repeated.
    """
    speak("en")
    base_url, message, url = settings().base_url, call.body.message, call.body.url
    diagnosis = None if message is None else examine(message)
    if url is None and diagnosis is not None and is_our_link(diagnosis.one_click_url or "", base_url):
        url = diagnosis.one_click_url
    link = None if url is None else rehearse_link(current_app.wsgi_app, url, base_url=base_url, signer=signer())
    body = {
        "sound": (diagnosis is None or diagnosis.is_sound) and (link is None or link.is_sound),
        "findings": [finding_as_json(one) for one in (diagnosis.findings if diagnosis else ())],
        "link": link and _link_as_json(link),
    }
    return Answer(body)


def _link_as_json(link: LinkRehearsal) -> dict[str, Any]:
    requests = [
        {
            **request_as_json(one.shape, one.came, one.verdict),
            "sentence": f"{SHAPES[one.shape]}: {VERDICTS[one.verdict]}",
        }
        for one in link.tried
    ]
    return {"state": link.state.value, "sentence": str(STATES[link.state]), "requests": requests}
