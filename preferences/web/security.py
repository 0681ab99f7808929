"""Security headers on every answer: strict CSP without inline, no referrer, no framing, nothing stored, not indexed (L14)."""

from __future__ import annotations

from flask import Response, request

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


CACHEABLE = frozenset({"static", "site.theme", "site.logo", "seals.head", "seals.latest", "seals.keys"})
"""What holds nothing personal, and may be kept."""

EVERYWHERE = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}


def add_security_headers(response: Response) -> Response:
    """Set what is not set. Token pages must not be stored anywhere; only static files may be cached."""
    headers = response.headers
    there = {name.lower() for name, _ in headers}
    missing = {name: value for name, value in EVERYWHERE.items() if name.lower() not in there}
    if request.endpoint not in CACHEABLE or response.status_code >= 400:
        headers.pop("Cache-Control", None)
        missing["Cache-Control"] = "no-store"
        if "x-robots-tag" not in there:
            missing["X-Robots-Tag"] = "noindex"
    headers.extend(missing)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response
