"""`POST /header-check`: is a message fit for one-click? The header doctor for mailers (M1, T8, T9)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from preferences.domain.scopes import Scope
from preferences.integrations.header_doctor import examine
from preferences.integrations.header_doctor_codes import Code, Finding, Severity
from preferences.integrations.header_doctor_words import SENTENCES
from preferences.web.access import Access, access
from preferences.web.locale import speak

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


class MessageToCheck(Strict):
    """A raw message. Send it as `message/rfc822` where its bytes must not be touched: what they are is what is judged."""

    message: RawMessageText


class FindingShown(BaseModel):
    """One thing found. Act on `code`: it never changes its meaning."""

    code: Code
    severity: Severity
    about: Annotated[str | None, Field(description="Narrows it down: the domain of a DKIM signature.")]
    sentence: str


class HeadersChecked(BaseModel):
    """Everything found, the worst first."""

    sound: Annotated[bool, Field(description="Whether nothing was found that breaks one-click.")]
    findings: list[FindingShown]


@blueprint.post("/header-check")
@access(Access.MAILER)
@call(
    scope=Scope.HEADER_CHECK,
    summary="Examine a raw message",
    takes=MessageToCheck,
    gives=HeadersChecked,
    effect=Effect.READS,
    raw=RawBody("message/rfc822", "message"),
)
def check_headers(call: Call[MessageToCheck]) -> Answer:
    """Judges the bytes and looks nothing up. The message is neither stored nor logged, and no address of it is repeated."""
    speak("en")
    diagnosis = examine(call.body.message)
    return Answer({"sound": diagnosis.is_sound, "findings": [_as_json(one) for one in diagnosis.findings]})


def _as_json(finding: Finding) -> dict[str, str | None]:
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "about": finding.about or None,
        "sentence": str(SENTENCES[finding.code]),
    }
