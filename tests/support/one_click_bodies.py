"""Bodies of POSTs to an unsubscribe link, as bytes: those that are the one-click pair, and those that only look like it."""

from __future__ import annotations

from dataclasses import dataclass

URLENCODED = "Content-Type: application/x-www-form-urlencoded"
PAIR = b"List-Unsubscribe=One-Click"


@dataclass(frozen=True)
class Sent:
    """The header lines and the body of one POST."""

    headers: tuple[str, ...]
    body: bytes | None


def multipart(boundary: str, *parts: bytes, head: str = "", end: bytes = b"\r\n") -> Sent:
    """A multipart/form-data body of parts that are given with their own headers."""
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + end + part + end for part in parts) + delimiter + b"--" + end
    return Sent((f"Content-Type: {head or f'multipart/form-data; boundary={boundary}'}",), body)


PART = b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click'

ACCEPTED = {
    "urlencoded": Sent((URLENCODED,), PAIR),
    "urlencoded with a charset": Sent((f"{URLENCODED}; charset=utf-8",), PAIR),
    "urlencoded with a quoted charset in capitals": Sent((f'{URLENCODED}; CHARSET="UTF-8"',), PAIR),
    "urlencoded as ISO-8859-1": Sent((f"{URLENCODED};charset=ISO-8859-1",), PAIR),
    "urlencoded with the type in capitals": Sent(("CONTENT-TYPE: Application/X-WWW-Form-UrlEncoded",), PAIR),
    "urlencoded with a line break at the end": Sent((URLENCODED,), PAIR + b"\r\n"),
    "urlencoded with everything escaped": Sent((URLENCODED,), b"List%2DUnsubscribe=One%2DClick"),
    "urlencoded among other headers": Sent(
        ("Accept: */*", "From: x@example.org", URLENCODED, "X-Forwarded-For: ::1"), PAIR
    ),
    "multipart": multipart("----WebKitFormBoundary7MA4YWxkTrZu0gW", PART),
    "multipart with a quoted boundary": multipart("a b", PART, head='multipart/form-data; boundary="a b"'),
    "multipart with a charset before the boundary": multipart(
        "x", PART, head="multipart/form-data; charset=utf-8; boundary=x"
    ),
    "multipart with the type in capitals": multipart("x", PART, head="Multipart/Form-Data; Boundary=x"),
    "multipart with a typed part": multipart(
        "x",
        b'Content-Disposition: form-data; name="List-Unsubscribe"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nOne-Click',
    ),
    "multipart with part headers in another order and case": multipart(
        "x", b'content-type: text/plain\r\ncontent-disposition: FORM-DATA; name="List-Unsubscribe"\r\n\r\nOne-Click'
    ),
    "multipart with an unquoted name": multipart("x", PART.replace(b'"', b"")),
    "multipart with a preamble": Sent(
        ("Content-Type: multipart/form-data; boundary=x",), b"preamble\r\n--x\r\n" + PART + b"\r\n--x--\r\n"
    ),
    "multipart as RFC 8058 prints it": Sent(
        ("Content-Type: multipart/form-data; boundary=---FormBoundaryjWmhtjORrn",),
        b"---FormBoundaryjWmhtjORrn\r\n" + PART + b"\r\n---FormBoundaryjWmhtjORrn--",
    ),
}

IGNORED = {
    "no body and no type (T5)": Sent((), None),
    "an empty body": Sent((URLENCODED,), b""),
    "JSON (T4)": Sent(("Content-Type: application/json",), b'{"List-Unsubscribe": "One-Click"}'),
    "the pair without a content type": Sent((), PAIR),
    "the pair as plain text": Sent(("Content-Type: text/plain",), PAIR),
    "another value": Sent((URLENCODED,), b"List-Unsubscribe=Two-Click"),
    "another case": Sent((URLENCODED,), b"list-unsubscribe=one-click"),
    "the name alone": Sent((URLENCODED,), b"List-Unsubscribe"),
    "the pair twice": Sent((URLENCODED,), PAIR + b"&" + PAIR),
    "one pair more": Sent((URLENCODED,), PAIR + b"&utm_source=x"),
    "a space in the value": Sent((URLENCODED,), PAIR + b"+"),
    "NUL in the value": Sent((URLENCODED,), PAIR + b"\x00"),
    "not UTF-8": Sent((URLENCODED,), PAIR + b"\xff\xfe"),
    "UTF-16": Sent((f"{URLENCODED}; charset=utf-16",), PAIR.decode().encode("utf-16")),
    "a thousand pairs": Sent((URLENCODED,), b"&".join([PAIR] * 500)),
    "an oversized body": Sent((URLENCODED,), PAIR + b"&x=" + b"x" * 200_000),
    "multipart without a boundary": multipart("x", PART, head="multipart/form-data"),
    "multipart with the wrong boundary": multipart("x", PART, head="multipart/form-data; boundary=y"),
    "multipart with a boundary that is not ASCII": multipart("x", PART, head="multipart/form-data; boundary=å"),
    "multipart that is cut off": Sent(("Content-Type: multipart/form-data; boundary=x",), b"--x\r\n" + PART),
    "multipart with a file": multipart("x", PART.replace(b"\r\n\r\n", b'; filename="a"\r\n\r\n', 1)),
    "multipart with a second part": multipart("x", PART, b'Content-Disposition: form-data; name="b"\r\n\r\nc'),
    "multipart with a thousand parts": multipart("x", *[PART] * 1000),
    "multipart with another value": multipart("x", PART.replace(b"One-Click", b"one-click")),
    "multipart without a name": multipart("x", b"Content-Disposition: form-data\r\n\r\nOne-Click"),
    "multipart with endless headers": multipart("x", b"X: " + b"y" * 20_000 + b"\r\n" + PART),
    "a type with control characters": Sent(("Content-Type: application/x-www-form-urlencoded\t;;;=;",), PAIR + b"&a"),
    "our own form without its mark": Sent((URLENCODED,), b"stop=everything"),
    "our own form with a wrong button": Sent((URLENCODED,), b"confirm=1&stop=nothing"),
    "our own form with an unknown field": Sent((URLENCODED,), b"confirm=1&stop=purpose&email=x%40example.org"),
    "our own form twice": Sent((URLENCODED,), b"confirm=1&confirm=1"),
}
