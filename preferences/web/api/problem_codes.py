"""Every code a problem can carry, and what to do about it: the paragraphs that `type` leads to."""

from __future__ import annotations

STATUSES = {
    400: "The request cannot be read: not JSON, not UTF-8, or not what this call takes. Nothing was changed.",
    401: "No key, or one that does not work.",
    403: "The key does not carry the scope.",
    404: "Not found.",
    409: "The request contradicts what is on record. Nothing was changed.",
    413: "More than the call takes. Split it.",
    415: "Another content type or encoding than this call reads.",
    422: "Well-formed, and something in it cannot be used. Nothing was changed.",
    429: "Too many calls of this key; Retry-After says when to come back.",
    500: "Something went wrong on our side. Nothing was changed.",
    503: "The database did not answer. Nothing was changed; try again.",
}

CODES = {
    "unauthenticated": (401, "There is no bearer key in the request."),
    "invalid_key": (401, "There is no such key."),
    "key_expired": (401, "The key has expired. Ask the operator for a new one."),
    "key_revoked": (401, "The key was revoked. Ask the operator for a new one."),
    "missing_scope": (403, "The key does not carry the scope that the call needs; `detail` names it."),
    "not_found": (404, "There is no such call, or the thing named does not exist."),
    "unknown_recipient": (404, "Nobody has this id or address. Add them with `PUT /recipients`."),
    "unknown_endpoint": (404, "No endpoint of yours has this id."),
    "unknown_training": (404, "No training has this number."),
    "method_not_allowed": (405, "The path takes other methods; `Allow` names them."),
    "conflict": (409, "The request contradicts what is on record; repeating it will not help."),
    "held": (409, "The act would lift what the person stopped; `reason` says what. Only their own mailbox can."),
    "malformed": (
        400,
        "Not JSON, a name given twice, NaN, not UTF-8, NUL, or a parameter that the call does not take.",
    ),
    "too_large": (413, "The body or a line is larger than the call reads."),
    "too_many_rows": (413, "More rows than the call takes."),
    "unsupported_media_type": (
        415,
        "Send `application/json`, or `application/x-ndjson` to bulk calls, without an encoding.",
    ),
    "invalid_request": (422, "Fields are missing, unknown or of another type; `errors` lists them."),
    "invalid_value": (422, "A value cannot be used; `pointer` names it."),
    "unusable_url": (422, "An endpoint cannot have this URL; `detail` says what would do."),
    "invalid_address": (422, "Not an email address, and not an id."),
    "not_csv": (422, "The file is no CSV file, or cannot be read as one; `detail` says what it looks like."),
    "invalid_mapping": (422, "The mapping does not fit the file; `detail` names the column or field."),
    "invalid_cursor": (422, "Not a cursor that the change feed gave, or one that lies ahead of it."),
    "unknown_purpose": (422, "No purpose or topic in use has this key, or the topic is not one of the purpose."),
    "act_not_possible": (422, "The act does not fit the purpose's lawful basis, or its evidence is incomplete."),
    "unusable_list_header": (422, "The unsubscribe headers cannot be made. Tell the operator."),
    "not_our_link": (422, "Only unsubscribe links of this service, `…/u/…`, are tried."),
    "idempotency_key_reused": (422, "The Idempotency-Key came with another request before."),
    "too_many_requests": (429, "The key's calls of this minute are used up."),
    "internal_error": (500, "Our fault. Tell the operator when it happened."),
    "unavailable": (503, "The database did not answer."),
}
