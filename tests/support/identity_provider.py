"""An identity provider: a real HTTP server on this machine with real keys, as honest or as hostile as a test wants it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from preferences.integrations.oidc.provider import challenge_of

CLIENT_ID, CLIENT_SECRET = "preferences å", "s3cret:&=/"
Answer = tuple[int, bytes]
Key = RSAKey | ECKey


@cache
def key(name: str) -> Key:
    """A key by its id, made once in this process; those whose name begins with `ec` are on P-256."""
    if name.startswith("ec"):
        return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def signed(claims: dict[str, Any], with_key: Key, **header: Any) -> str:
    """A token as the provider signs it."""
    algorithm = "ES256" if isinstance(with_key, ECKey) else "RS256"
    return jwt.encode({"alg": algorithm, "kid": with_key.kid, **header}, claims, with_key, algorithms=[algorithm])


@dataclass
class FakeProvider:
    """What it publishes, whom it has at its door, and what it was asked. `fresh()` makes it honest again."""

    port: int = 0
    discovery: dict[str, Any] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    signing: str = "first"
    person: dict[str, Any] = field(default_factory=dict)
    """Claims of whoever is at the door; None as a value leaves a claim out."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    forge: Callable[[dict[str, Any]], str] | None = None
    """Makes the token instead of signing it."""
    instead: dict[str, Answer] = field(default_factory=dict)
    """Answers by path, in place of the honest ones."""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/realms/staff"

    def fresh(self) -> FakeProvider:
        base = f"http://127.0.0.1:{self.port}"
        self.discovery = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "userinfo_endpoint": f"{base}/userinfo",
            "end_session_endpoint": f"{base}/logout",
        }
        self.published, self.signing, self.forge = ["first", "ec-second"], "first", None
        self.person = {"sub": "248289761001", "email": "stina@example.se", "email_verified": True, "name": "Stina Berg"}
        self.userinfo, self.instead, self.asked, self.codes = {}, {}, [], {}
        return self

    def welcome(self, way_there: str | None, **more: str) -> str:
        """What the provider does with a browser that arrives: the address it sends it back to, as path and query."""
        assert way_there is not None
        assert way_there.startswith(f"http://127.0.0.1:{self.port}/authorize?"), way_there
        asked = dict(parse_qsl(urlsplit(way_there).query))
        code = f"code-{len(self.codes)}-{asked['state'][:6]}"
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], **more}
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{urlencode({name: value for name, value in answer.items() if value})}"

    def claims(self, nonce: str) -> dict[str, Any]:
        """What an honest token says now."""
        now = int(datetime.now(UTC).timestamp())
        said = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        return {name: value for name, value in said.items() if value is not None}

    def answer(self, method: str, path: str, headers: Any, body: str) -> Answer:
        """One request."""
        self.asked.append(path)
        if path in self.instead:
            return self.instead[path]
        if path == "/realms/staff/.well-known/openid-configuration":
            return 200, json.dumps(self.discovery).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [key(name).as_dict(private=False) for name in self.published]}).encode()
        if path == "/userinfo" and headers["Authorization"] == "Bearer access":
            return 200, json.dumps({"sub": self.person["sub"], **self.userinfo}).encode()
        return self._token(headers, body) if path == "/token" and method == "POST" else (404, b"{}")

    def _token(self, headers: Any, body: str) -> Answer:
        """RFC 6749 §4.1.3 and RFC 7636 §4.6: who asks, which code, from where, and the verifier behind the challenge."""
        form = {name: values[0] for name, values in parse_qs(body).items()}
        pair = base64.b64decode(headers.get("Authorization", "Basic Og==").removeprefix("Basic ")).decode().split(":")
        who = [unquote_plus(one) for one in pair] if pair[0] else [form.get("client_id"), form.get("client_secret")]
        asked = self.codes.pop(form.get("code", ""), None)
        if who != [CLIENT_ID, CLIENT_SECRET]:
            return 401, b'{"error": "invalid_client"}'
        if asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}'
        if asked["code_challenge_method"] != "S256" or challenge_of(form["code_verifier"]) != asked["code_challenge"]:
            return 400, b'{"error": "invalid_grant"}'
        claims = self.claims(asked["nonce"])
        token = self.forge(claims) if self.forge else signed(claims, key(self.signing))
        return 200, json.dumps({"id_token": token, "access_token": "access", "token_type": "Bearer"}).encode()


@contextmanager
def providing() -> Iterator[FakeProvider]:
    """A provider that runs."""
    provider = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize?"):
                self._lead_back()
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            status, found = provider.answer(self.command, urlsplit(self.path).path, self.headers, body)
            try:
                self.send_response(status)
                self.end_headers()
                for start in range(0, len(found), 65_536):
                    self.wfile.write(found[start : start + 65_536])
                    if found.startswith(b"slow"):
                        time.sleep(0.05)
            except OSError:
                pass

        def _lead_back(self) -> None:
            """For a real browser: whoever is at the door is signed in there already."""
            asked = parse_qs(urlsplit(self.path).query)
            back = urlsplit(asked["redirect_uri"][0])
            path = provider.welcome(f"http://127.0.0.1:{provider.port}{self.path}")
            self.send_response(302)
            self.send_header("Location", f"{back.scheme}://{back.netloc}{path}")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_request(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider.fresh()
    finally:
        server.shutdown()
        server.server_close()
