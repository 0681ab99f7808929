"""The sentence of every finding: what is wrong, what follows, what to do. Shown by the API, the command and the pages."""

from __future__ import annotations

from flask_babel import LazyString, lazy_gettext

from .header_doctor_codes import Code, Finding, Severity

_ = lazy_gettext

SEVERITIES: dict[Severity, LazyString] = {
    Severity.ERROR: _("Error"),
    Severity.WARNING: _("Warning"),
    Severity.NOTE: _("Note"),
}

SENTENCES: dict[Code, LazyString] = {
    Code.MESSAGE_TOO_LARGE: _("The message is larger than 10 MB; only its headers were looked at."),
    Code.HEADERS_MISSING: _("There are no headers. Give the whole message, as it was sent."),
    Code.HEADERS_BROKEN: _(
        "A line among the headers is no header; what follows it was not read, here or by mail programs."
    ),
    Code.UNSUBSCRIBE_MISSING: _("There is no List-Unsubscribe. Set it as POST /links gives it."),
    Code.UNSUBSCRIBE_REPEATED: _(
        "List-Unsubscribe is there more than once, so receivers ignore it or choose. Your mail service may add one of its own."
    ),
    Code.UNSUBSCRIBE_ENCODED: _(
        "List-Unsubscribe is encoded (=?utf-8?…), so Gmail ignores it. Stop your mail library from encoding long headers."
    ),
    Code.UNSUBSCRIBE_NOT_ASCII: _("List-Unsubscribe holds characters that are not printable ASCII."),
    Code.UNSUBSCRIBE_FOLDED_IN_URI: _(
        "List-Unsubscribe is folded in the middle of an address, which puts a space into it. Allow lines of 998 characters."
    ),
    Code.UNSUBSCRIBE_FOLDED: _("List-Unsubscribe is folded between its parts. That is allowed; one line is safer."),
    Code.UNSUBSCRIBE_LINE_TOO_LONG: _("A line of List-Unsubscribe is longer than 998 characters. Shorten the address."),
    Code.NO_ANGLE_BRACKETS: _("List-Unsubscribe has no address in angle brackets: write <https://…>."),
    Code.TEXT_OUTSIDE_BRACKETS: _(
        "List-Unsubscribe holds more than addresses in angle brackets with commas between them."
    ),
    Code.SPACE_IN_URI: _("There is white space inside the angle brackets of List-Unsubscribe."),
    Code.COMMA_IN_URI: _("There is a comma inside an address of List-Unsubscribe: some mail programs cut it there."),
    Code.HTTPS_MISSING: _("List-Unsubscribe has no https address, so there is no one-click."),
    Code.HTTP_NOT_HTTPS: _("List-Unsubscribe has an http address. One-click works with https alone."),
    Code.HTTPS_NOT_FIRST: _(
        "The https address is not the first in List-Unsubscribe: some programs take the first they see."
    ),
    Code.HTTPS_SEVERAL: _("List-Unsubscribe has several https addresses. RFC 8058 wants one."),
    Code.HTTPS_MALFORMED: _(
        "The https address of List-Unsubscribe cannot be used: it needs a host and a path, and no user or #."
    ),
    Code.MAILTO_MISSING: _("List-Unsubscribe has no mailto. Outlook.com uses it."),
    Code.MAILTO_MALFORMED: _("The mailto of List-Unsubscribe is not one plain address."),
    Code.MAILTO_LOCAL_PART_TOO_LONG: _(
        "The part of the mailto before @ is longer than 63 characters: Outlook.com cuts it."
    ),
    Code.MAILTO_NEEDS_SUBJECT: _("The mailto relies on its subject, which some Microsoft programs drop."),
    Code.POST_MISSING: _(
        "There is no List-Unsubscribe-Post, so there is no one-click. Set List-Unsubscribe=One-Click."
    ),
    Code.POST_REPEATED: _("List-Unsubscribe-Post is there more than once."),
    Code.POST_ENCODED: _("List-Unsubscribe-Post is encoded (=?utf-8?…), so it is ignored."),
    Code.POST_NOT_EXACT: _("List-Unsubscribe-Post must be exactly List-Unsubscribe=One-Click."),
    Code.LIST_ID_MISSING: _("There is no List-Id, so complaints and filters cannot tell your purposes apart."),
    Code.LIST_ID_REPEATED: _("List-Id is there more than once."),
    Code.LIST_ID_MALFORMED: _("List-Id is not of the form <name.domain>."),
    Code.DKIM_NOT_YET: _("The message has no DKIM signature yet. Look again at a copy that has been received."),
    Code.DKIM_MISSING: _("The message was received without a DKIM signature, so Gmail and Yahoo ignore one-click."),
    Code.DKIM_MALFORMED: _("A DKIM-Signature cannot be read: a part that it needs is missing or broken."),
    Code.DKIM_OMITS_UNSUBSCRIBE: _(
        "The DKIM signature does not cover List-Unsubscribe. Add it to the headers that are signed."
    ),
    Code.DKIM_OMITS_POST: _(
        "The DKIM signature does not cover List-Unsubscribe-Post. Add it to what is signed; OpenDKIM leaves it out."
    ),
    Code.DKIM_ONE_OMITS: _("One of the DKIM signatures does not cover both headers; another does."),
    Code.DKIM_BODY_DIFFERS: _(
        "The body is not the one that was signed. Either something changed it on its way, or the copy you gave is not exact."
    ),
    Code.DKIM_LENGTH_LIMITED: _(
        "The DKIM signature covers only the beginning of the body (l=): anybody can add to it."
    ),
    Code.DKIM_WEAK: _("The DKIM signature uses an algorithm that receivers no longer accept. Use rsa-sha256."),
    Code.DKIM_NOT_ALIGNED: _("No DKIM signature belongs to the domain of From, which DMARC wants."),
    Code.DKIM_SIGNATURE_NOT_CHECKED: _(
        "What is signed was looked at. Whether the signature is genuine was not: that takes its key."
    ),
    Code.MIME_TOO_DEEP: _("The body is nested too deeply, or in too many parts, to be read."),
    Code.TEXT_MISSING: _("There is no text body."),
    Code.HTML_MISSING: _("There is no HTML body."),
    Code.TEXT_LINK_MISSING: _("The text body shows no link to unsubscribe."),
    Code.HTML_LINK_MISSING: _("The HTML body shows no link to unsubscribe that a reader can see."),
    Code.LINK_MISSING: _(
        "No body shows a link to unsubscribe. Gmail and Yahoo want one that is seen, beside the headers."
    ),
    Code.PRECEDENCE_ODD: _("Precedence is neither bulk nor list."),
    Code.AUTO_SUBMITTED_MISSING: _(
        "Nothing says that the message is automatic, so holiday replies come back: set Auto-Submitted."
    ),
    Code.AUTO_SUBMITTED_ODD: _("Auto-Submitted says that the message is a reply. A mailing is auto-generated."),
}


def finding_as_json(finding: Finding) -> dict[str, str | None]:
    """A finding as the API and the command tell it, in the language of the moment."""
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "about": finding.about or None,
        "sentence": str(SENTENCES[finding.code]),
    }
