"""Raw messages for the header doctor: a good one, and what is needed to damage it byte by byte."""

from __future__ import annotations

import base64
import hashlib

HTTPS = b"https://stop.example.com/u/" + b"A" * 28 + b"." + b"b" * 22
MAILTO = b"mailto:unsubscribe+" + b"a2" * 25 + b"@mail.example"
UNSUBSCRIBE = b"List-Unsubscribe: <" + HTTPS + b">, <" + MAILTO + b">"
POST = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
LIST_ID = b"List-Id: <product_news.preferences.example>"
TEXT = b"Hej Anna.\r\n\r\nAvregistrera dig: " + HTTPS + b"\r\n"
HTML = b'<p>Hej <b>Anna</b>.</p><p><a href="' + HTTPS + b'">Avregistrera dig</a></p>\r\n'
COVERED = b"from:to:subject:date:list-unsubscribe:list-unsubscribe-post"


def alternative(text: bytes = TEXT, html: bytes = HTML) -> bytes:
    """The two bodies."""
    plain = b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text
    return plain + b"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html + b"\r\n--b--\r\n"


def signature(body: bytes, covers: bytes = COVERED, *, domain: bytes = b"example.com", more: bytes = b"") -> bytes:
    """A DKIM-Signature over the body as it is (simple), folded as servers fold it. What `b` holds is not checked."""
    digest = base64.b64encode(hashlib.sha256(body).digest())
    return (
        b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=" + domain + b"; s=k1;" + more + b"\r\n"
        b" h=" + covers + b";\r\n bh=" + digest[:20] + b"\r\n  " + digest[20:] + b";\r\n b=c2lnbmF0dXJl"
    )


def raw_mail(
    *lists: bytes, body: bytes | None = None, signed: tuple[bytes, ...] | None = None, more: tuple[bytes, ...] = ()
) -> bytes:
    """A message as it was received. `lists` are the list headers, whole lines; those of a good message unless given."""
    body = alternative() if body is None else body
    head = [
        *(signed if signed is not None else (signature(body),)),
        b"Received: from mx.example.com by mx.example.se; Mon, 24 Nov 2025 09:30:00 +0000",
        b"From: Exempelbolaget AB <news@example.com>",
        b"To: anna@example.se",
        b"Subject: =?utf-8?q?Hej_p=C3=A5_dig?=",
        *(lists or (UNSUBSCRIBE, POST, LIST_ID)),
        b"Auto-Submitted: auto-generated",
        *more,
        b'Content-Type: multipart/alternative; boundary="b"',
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body
