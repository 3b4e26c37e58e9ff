"""A login provider of the tests: a real server that plays Google, GitHub, GitLab, Okta and any OpenID Connect one.

It checks what a provider checks (code once, PKCE, client secret, redirect URI) and can be told to misbehave.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.api.conftest import Server

CLIENT, SECRET, REDIRECT = "flower-client", "s3cret & more", "http://flower.example/login"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECONDS = 15
PAGE = 2
"""Groups on a page of GitLab."""

Claims = dict[str, Any]


def public_key(kid: str = "one") -> dict[str, Any]:
    """The public key as the provider tells it."""
    told: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    return {**told, "kid": kid, "use": "sig", "alg": "RS256"}


def signed(claims: Claims, key: Any = KEY, kid: str | None = "one", algorithm: str = "RS256") -> str:
    """An id token."""
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


def unsigned(claims: Claims) -> str:
    """An id token with the algorithm `none`."""
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "one"})


def signed_with_public_key(claims: Claims) -> str:
    """An id token whose secret is the public key, in the hope that it is taken for one."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
    digest = hashlib.sha256(json.dumps(public_key()).encode() + text.encode()).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


class Provider:
    """What it says of who logs in can be set at any time."""

    def __init__(self) -> None:
        self.email: Any = "Ann@Example.com"
        self.verified: Any = True
        self.groups: list[str] = []
        self.more: Claims = {}
        self.make: Callable[[Claims], str] = signed
        self.keys: list[Any] = [public_key()]
        self.discovery: Claims = {}
        self.userinfo: Claims = {}
        self.claims_in_token = True
        self.token_answer: Any = None
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.failed = 0
        self.redirect = REDIRECT
        self.flower = ""
        """Where Flower is, for browsers that come by themselves."""
        self.held = threading.Event()
        self.held.set()
        self._codes: dict[str, dict[str, str]] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(SECONDS)

    # -- what the browser does there

    def authorize(self, url: str) -> str:
        """Log in at the address that Flower sent the browser to; path and query of the way back."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert (CLIENT, "code", "S256") == (
            asked["client_id"],
            asked["response_type"],
            asked["code_challenge_method"],
        )
        assert asked.get("redirect_uri", self.redirect) == self.redirect
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked
        return f"/login?{urlencode({'code': code, 'state': asked['state']})}"

    # -- what Flower asks

    def token(self, handler: RequestHandler) -> Any:
        """A token for a code, once, for the right client with the right verifier."""
        if self.token_answer is not None:
            return self.token_answer
        sent = {name: values[-1].decode() for name, values in handler.request.body_arguments.items()}
        asked = self._codes.pop(sent["code"], None)
        basic = handler.request.headers.get("Authorization", "")
        pair = f"{CLIENT}:{'s3cret%20%26%20more'}"
        right = basic == f"Basic {base64.b64encode(pair.encode()).decode()}" or sent.get("client_secret") == SECRET
        challenge = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        proved = asked and asked["code_challenge"] == base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if not (right and proved):
            handler.set_status(400)
            return {"error": "invalid_grant", "error_description": "not yours"}
        assert asked is not None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "ann",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": asked.get("nonce"),
        }
        claims |= self.facts() if self.claims_in_token else {}
        return {"access_token": "token-of-ann", "token_type": "Bearer", "id_token": self.make({**claims, **self.more})}

    def facts(self) -> Claims:
        found = {"email": self.email, "email_verified": self.verified, "groups": self.groups}
        return {name: value for name, value in found.items() if value is not None}

    def answer(self, handler: RequestHandler, path: str) -> Any:
        """The JSON at a path."""
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            told = {name: self.url + end for name, end in {**ends, "userinfo_endpoint": "/userinfo"}.items()}
            return {"issuer": self.url, **told, **self.discovery}
        if path == "/jwks":
            return {"keys": self.keys}
        if path.endswith(("token", "access_token")):
            return self.token(handler)
        if handler.request.headers.get("Authorization") != "Bearer token-of-ann":
            handler.set_status(401)
            return {"error": "invalid_token"}
        if path in ("/userinfo", "/v1/userinfo"):
            return {"sub": "ann", **self.facts(), **self.userinfo}
        if path == "/google":
            return {"email": self.email, "verified_email": self.verified}
        if path == "/api/v3/user/emails":
            return self.email
        if path == "/api/v4/user":
            return {"email": self.email, "confirmed_at": "2020-01-01" if self.verified else None}
        return self._gitlab_groups(handler)

    def _gitlab_groups(self, handler: RequestHandler) -> Any:
        assert handler.get_argument("min_access_level") == "30"
        first = (int(handler.get_argument("page")) - 1) * PAGE
        more = first + PAGE < len(self.groups)
        handler.set_header("X-Next-Page", str(first // PAGE + 2) if more else "")
        return [{"full_path": name} for name in self.groups[first : first + PAGE]]

    # -- the server

    def _serve(self) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        self.loop = IOLoop.current()
        provider = self

        class Anything(RequestHandler):
            async def get(self) -> None:
                path = self.request.path
                await IOLoop.current().run_in_executor(None, provider.held.wait, SECONDS)
                if path == "/authorize":
                    self.redirect(provider.flower + provider.authorize(self.request.full_url()))
                    return
                if path in provider.broken:
                    provider.failed += 1
                    self.set_status(500)
                    self.finish("<h1>oops</h1>")
                    return
                self.finish(json.dumps(provider.answer(self, path)))

            post = get

        sockets = bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self._server = HTTPServer(Application([(".*", Anything)]))
        self._server.add_sockets(sockets)
        self.loop.add_callback(self._ready.set)
        self.loop.start()
        self.loop.close(all_fds=True)

    def end(self) -> None:
        self.held.set()

        def end() -> None:
            self._server.stop()
            self.loop.stop()

        self.loop.add_callback(end)
        self._thread.join(SECONDS)


class Person:
    """Somebody with a browser of their own, at one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, self.url + path, headers=sent, allow_redirects=False, timeout=SECONDS)

    def leave(self, path: str = "/login") -> str:
        """Where Flower sends them to log in."""
        return self.get(path).headers["Location"]

    def log_in(self, provider: Provider, path: str = "/login") -> requests.Response:
        """What Flower answers when they come back from the provider."""
        return self.get(provider.authorize(self.leave(path)))
