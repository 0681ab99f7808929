"""One error family. An error says what happened, what it means and what to do next; edges map it once.

`code` is stable and part of the API's problem details (RFC 9457); attributes carry the facts, never an address or a token.
"""

from __future__ import annotations

from typing import ClassVar


class PreferencesError(Exception):
    """Anything this product refuses on purpose. Subclasses set `code` and `status` (the HTTP status an edge answers)."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer


class InvalidValue(PreferencesError):
    """A field holds something that cannot be used. `pointer` is the JSON pointer of the field where one exists."""

    code = "invalid_value"
    status = 422
    title = "A value cannot be used"


class InvalidAddress(InvalidValue):
    """Not an email address we could ever send to. `reason` is a short code for reports by line."""

    code = "invalid_address"
    title = "Not an email address"

    def __init__(self, detail: str, *, reason: str, pointer: str | None = None) -> None:
        super().__init__(detail, pointer=pointer)
        self.reason = reason


class NotFound(PreferencesError):
    """The thing named does not exist, or is not visible to the one who asks."""

    code = "not_found"
    status = 404
    title = "Not found"


class UnknownPurpose(InvalidValue):
    """No purpose or topic has that key, or the topic does not belong to the purpose."""

    code = "unknown_purpose"
    title = "Unknown purpose"


class ActNotPossible(InvalidValue):
    """The act does not fit the purpose's lawful basis, or its evidence is incomplete (GDPR 6, 7; MFL 19 §)."""

    code = "act_not_possible"
    title = "The act does not fit the purpose"


class Conflict(PreferencesError):
    """The request contradicts what is stored; repeating it will not help."""

    code = "conflict"
    status = 409
    title = "Conflict"


class BadToken(PreferencesError):
    """A token that we did not sign, or that was cut, or that belongs to another capability. Says no more (M7)."""

    code = "bad_token"
    status = 404
    title = "This link does not work"

    def __init__(self) -> None:
        super().__init__("The link is incomplete or was changed on its way.")


class ConfigurationError(PreferencesError):
    """A setting is missing or unsafe; names the setting, never its value."""

    code = "configuration"
    status = 500
    title = "The service is not configured"

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"{setting}: {detail}")
        self.setting = setting
        self.why = detail
