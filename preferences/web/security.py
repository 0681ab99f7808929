"""Security headers on every answer: strict CSP without inline, no referrer, no framing, nothing stored, not indexed (L14)."""

from __future__ import annotations

from flask import Response, request

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


CACHEABLE = frozenset({"static", "site.theme", "site.logo"})
"""What holds nothing personal, and may be kept."""


def add_security_headers(response: Response) -> Response:
    """Set what is not set. Token pages must not be stored anywhere; only static files may be cached."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), interest-cohort=()")
    if request.endpoint not in CACHEABLE or response.status_code >= 400:
        headers["Cache-Control"] = "no-store"
        headers.setdefault("X-Robots-Tag", "noindex")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response
