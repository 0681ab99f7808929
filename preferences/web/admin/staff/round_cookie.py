"""The cookie that keeps a round to the identity provider while somebody is there: signed, ten minutes, for its own pages only.

`SameSite=Lax`, unlike the session's: the way back begins on the provider's site. It opens nothing by itself.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from flask import request
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.wrappers import Response

from preferences.domain.single_sign_on import ROUND_LASTS, Errand, Round
from preferences.web.admin.guard import SIGN_ON
from preferences.web.plumbing import settings

COOKIE = "admin_round"
MOST_CHARACTERS = 4_000


def kept_round() -> Round | None:
    """The round that this browser set out on; None where it sent none of ours."""
    sent = request.cookies.get(COOKIE, "")
    if not sent or len(sent) > MOST_CHARACTERS:
        return None
    try:
        found = _serializer().loads(sent)
    except BadData:
        return None
    return Round(
        errand=Errand(found["errand"]),
        state=found["state"],
        nonce=found["nonce"],
        verifier=found["verifier"],
        onward=found["onward"],
        begun_at=datetime.fromisoformat(found["begun_at"]),
    )


def keep_round(response: Response, begun: Round) -> Response:
    """Have the browser keep it until it comes back."""
    held = {
        "errand": begun.errand.value,
        "state": begun.state,
        "nonce": begun.nonce,
        "verifier": begun.verifier,
        "onward": begun.onward,
        "begun_at": begun.begun_at.isoformat(),
    }
    response.set_cookie(
        COOKIE,
        _serializer().dumps(held),
        max_age=ROUND_LASTS,
        path=SIGN_ON,
        secure=_over_https(),
        httponly=True,
        samesite="Lax",
    )
    return response


def forget_round(response: Response) -> Response:
    """Have the browser forget it."""
    response.delete_cookie(COOKIE, path=SIGN_ON, secure=_over_https(), httponly=True, samesite="Lax")
    return response


def _serializer() -> URLSafeSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(list(settings().secret_keys), salt="preferences.admin.round", signer_kwargs=options)


def _over_https() -> bool:
    return settings().base_url.startswith("https:")
