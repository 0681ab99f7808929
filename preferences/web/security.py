"""Security headers on every answer: strict CSP without inline, no referrer, no framing, nothing stored, not indexed (L14)."""

from __future__ import annotations

from flask import Response, request

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


CACHEABLE = frozenset({"static", "site.theme", "site.logo", "seals.head", "seals.latest", "seals.keys"})
"""What holds nothing personal, and may be kept."""

PERMISSIONS = "camera=(), geolocation=(), microphone=(), interest-cohort=()"
NO_PASSKEYS = "publickey-credentials-create=(), publickey-credentials-get=()"
OWN_PASSKEYS = "publickey-credentials-create=(self), publickey-credentials-get=(self)"
"""Staff sign in with passkeys, on our own pages and in no frame of anybody's. Recipients never do."""

EVERYWHERE = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": f"{PERMISSIONS}, {NO_PASSKEYS}",
}


def add_security_headers(response: Response) -> Response:
    """Set what is not set. Token pages must not be stored anywhere; only static files may be cached."""
    headers = response.headers
    there = {name.lower() for name, _ in headers}
    missing = {name: value for name, value in EVERYWHERE.items() if name.lower() not in there}
    if request.blueprint == "admin":
        missing["Permissions-Policy"] = f"{PERMISSIONS}, {OWN_PASSKEYS}"
    if request.endpoint not in CACHEABLE or response.status_code >= 400:
        headers.pop("Cache-Control", None)
        missing["Cache-Control"] = "no-store"
        if "x-robots-tag" not in there:
            missing["X-Robots-Tag"] = "noindex"
    headers.extend(missing)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response
