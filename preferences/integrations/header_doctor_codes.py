"""What the header doctor can find: the closed vocabulary, and how bad each finding is.

A code is stable: it is part of the API's answers and of docs/header-doctor.md. Its sentence stands in header_doctor_words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`error`: one-click will not work, or not everywhere. `warning`: some receivers take it amiss. `note`: good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """One kind of finding."""

    MESSAGE_TOO_LARGE = "message_too_large"
    HEADERS_MISSING = "headers_missing"
    HEADERS_BROKEN = "headers_broken"

    UNSUBSCRIBE_MISSING = "unsubscribe_missing"
    UNSUBSCRIBE_REPEATED = "unsubscribe_repeated"
    UNSUBSCRIBE_ENCODED = "unsubscribe_encoded"
    UNSUBSCRIBE_NOT_ASCII = "unsubscribe_not_ascii"
    UNSUBSCRIBE_FOLDED_IN_URI = "unsubscribe_folded_in_uri"
    UNSUBSCRIBE_FOLDED = "unsubscribe_folded"
    UNSUBSCRIBE_LINE_TOO_LONG = "unsubscribe_line_too_long"
    NO_ANGLE_BRACKETS = "no_angle_brackets"
    TEXT_OUTSIDE_BRACKETS = "text_outside_brackets"
    SPACE_IN_URI = "space_in_uri"
    COMMA_IN_URI = "comma_in_uri"
    HTTPS_MISSING = "https_missing"
    HTTP_NOT_HTTPS = "http_not_https"
    HTTPS_NOT_FIRST = "https_not_first"
    HTTPS_SEVERAL = "https_several"
    HTTPS_MALFORMED = "https_malformed"
    MAILTO_MISSING = "mailto_missing"
    MAILTO_MALFORMED = "mailto_malformed"
    MAILTO_LOCAL_PART_TOO_LONG = "mailto_local_part_too_long"
    MAILTO_NEEDS_SUBJECT = "mailto_needs_subject"

    POST_MISSING = "post_missing"
    POST_REPEATED = "post_repeated"
    POST_ENCODED = "post_encoded"
    POST_NOT_EXACT = "post_not_exact"

    LIST_ID_MISSING = "list_id_missing"
    LIST_ID_REPEATED = "list_id_repeated"
    LIST_ID_MALFORMED = "list_id_malformed"

    DKIM_NOT_YET = "dkim_not_yet"
    DKIM_MISSING = "dkim_missing"
    DKIM_MALFORMED = "dkim_malformed"
    DKIM_OMITS_UNSUBSCRIBE = "dkim_omits_unsubscribe"
    DKIM_OMITS_POST = "dkim_omits_post"
    DKIM_ONE_OMITS = "dkim_one_omits"
    DKIM_BODY_DIFFERS = "dkim_body_differs"
    DKIM_LENGTH_LIMITED = "dkim_length_limited"
    DKIM_WEAK = "dkim_weak"
    DKIM_NOT_ALIGNED = "dkim_not_aligned"
    DKIM_SIGNATURE_NOT_CHECKED = "dkim_signature_not_checked"

    MIME_TOO_DEEP = "mime_too_deep"
    TEXT_MISSING = "text_missing"
    HTML_MISSING = "html_missing"
    TEXT_LINK_MISSING = "text_link_missing"
    HTML_LINK_MISSING = "html_link_missing"
    LINK_MISSING = "link_missing"

    PRECEDENCE_ODD = "precedence_odd"
    AUTO_SUBMITTED_MISSING = "auto_submitted_missing"
    AUTO_SUBMITTED_ODD = "auto_submitted_odd"


_WARNINGS = {
    Code.TEXT_OUTSIDE_BRACKETS,
    Code.HTTPS_NOT_FIRST,
    Code.MAILTO_MALFORMED,
    Code.MAILTO_LOCAL_PART_TOO_LONG,
    Code.MAILTO_NEEDS_SUBJECT,
    Code.LIST_ID_MISSING,
    Code.LIST_ID_REPEATED,
    Code.LIST_ID_MALFORMED,
    Code.DKIM_NOT_YET,
    Code.DKIM_MALFORMED,
    Code.DKIM_ONE_OMITS,
    Code.DKIM_BODY_DIFFERS,
    Code.DKIM_LENGTH_LIMITED,
    Code.DKIM_WEAK,
    Code.DKIM_NOT_ALIGNED,
    Code.MIME_TOO_DEEP,
    Code.TEXT_MISSING,
    Code.TEXT_LINK_MISSING,
    Code.PRECEDENCE_ODD,
    Code.AUTO_SUBMITTED_ODD,
}
_NOTES = {
    Code.UNSUBSCRIBE_FOLDED,
    Code.MAILTO_MISSING,
    Code.DKIM_SIGNATURE_NOT_CHECKED,
    Code.HTML_MISSING,
    Code.AUTO_SUBMITTED_MISSING,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `about` narrows it down, such as a DKIM domain; it never holds an address or a link."""

    code: Code
    about: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is: a property of the code alone."""
        if self.code in _NOTES:
            return Severity.NOTE
        return Severity.WARNING if self.code in _WARNINGS else Severity.ERROR
