"""Login providers by OAuth 2: what all of them have in common.

The authorization code goes to the provider together with the secret and the verifier of the attempt (PKCE), so that
a code that leaked is worth nothing. Every fault is a LoginFault in words for the visitor, without secrets.
"""

from __future__ import annotations

import base64
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from flower.login.attempts import Attempt
from flower.login.faults import LoginFault, refusal

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""How long a provider may take for one answer."""
ANSWER_MOST = 2_000_000
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProviderFault(ValueError):
    """A provider cannot be set up; the text says which option is to blame and why."""


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows Flower by, and the values of the options of providers, by name."""

    key: str
    secret: str = field(default="", repr=False)
    redirect_uri: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    """The groups that decide something; others need not be asked for."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who came back: verified addresses, the main one first, and groups."""

    emails: tuple[str, ...]
    groups: tuple[str, ...] = ()


class Provider(ABC):
    """One provider. `label` is its name for people."""

    label: ClassVar[str]
    scope: ClassVar[str]
    needs_secret: ClassVar[bool] = True
    needs_redirect_uri: ClassVar[bool] = True
    prompt_for_other: ClassVar[str] = ""
    """What has the provider ask again who it is."""
    allowed: frozenset[str] = frozenset()
    """Groups one of which is needed to log in; empty where groups do not matter."""

    def __init__(self, client: Client) -> None:
        """Raises ProviderFault."""
        self.client = client
        missing = [
            name
            for name, value, needed in (
                ("oauth2_key", client.key, True),
                ("oauth2_secret", client.secret, self.needs_secret),
                ("oauth2_redirect_uri", client.redirect_uri, self.needs_redirect_uri),
            )
            if needed and not value
        ]
        if missing:
            raise ProviderFault(f"auth_provider: {self.label} needs {' and '.join(missing)}")

    @abstractmethod
    async def endpoints(self) -> tuple[str, str]:
        """The URLs where somebody logs in, and where a code becomes a token."""

    @abstractmethod
    async def identity(self, token: dict[str, Any], attempt: Attempt) -> Identity:
        """Who the token was given for. Raises LoginFault."""

    def asked_too(self, attempt: Attempt) -> dict[str, str]:
        """More that this provider is asked."""
        return {}

    async def address(self, attempt: Attempt, other: bool = False) -> str:
        """Where the browser is sent to log in; `other`: as somebody else than the provider knows it as."""
        authorize, _ = await self.endpoints()
        asked = {
            "response_type": "code",
            "client_id": self.client.key,
            "redirect_uri": self.client.redirect_uri,
            "scope": self.scope_asked(),
            "state": attempt.state,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            "prompt": self.prompt_for_other if other else "",
            **self.asked_too(attempt),
        }
        mark = "&" if "?" in authorize else "?"
        return authorize + mark + urlencode({name: value for name, value in asked.items() if value})

    def comes_from(self, issuer: str | None) -> bool:
        """Whether a way back is this provider's, as far as it tells (RFC 9207)."""
        return True

    def scope_asked(self) -> str:
        """What of the user Flower wants to know."""
        return self.scope

    async def identify(self, code: str, attempt: Attempt) -> Identity:
        """Who came back with this code. Raises LoginFault."""
        identity = await self.identity(await self.token(code, attempt), attempt)
        if not identity.emails:
            raise LoginFault(f"{self.label} told no verified e-mail address of yours", 403)
        if self.allowed and self.allowed.isdisjoint(identity.groups):
            raise LoginFault(f"{self.label} says that you are in none of the groups that may log in", 403)
        return identity

    async def token(self, code: str, attempt: Attempt, basic: bool = False) -> dict[str, Any]:
        """What the provider gives for the code. `basic`: the secret goes into a header."""
        _, url = await self.endpoints()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "client_id": self.client.key,
            "client_secret": "" if basic else self.client.secret,
            "code_verifier": attempt.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic:
            pair = f"{quote(self.client.key, safe='')}:{quote(self.client.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = urlencode({name: value for name, value in sent.items() if value})
        answer = await self.fetch(url, method="POST", headers=headers, body=body)
        token = self.parsed(answer)
        if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
            told = token if isinstance(token, dict) else {}
            raise refusal(self.label, str(told.get("error", "no token")), str(told.get("error_description") or ""))
        return token

    async def get(self, url: str, token: str = "", **arguments: Any) -> Any:
        """The JSON at a URL."""
        return self.parsed(await self.answer(url, token, **arguments))

    async def answer(self, url: str, token: str = "", **arguments: Any) -> HTTPResponse:
        """The answer at a URL, which must be a success."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.fetch(url + (f"?{urlencode(arguments)}" if arguments else ""), headers=headers)
        if answer.code != 200:
            logger.warning("%s answered %d at %s", self.label, answer.code, url)
            raise LoginFault(f"{self.label} does not tell who you are (it answered {answer.code})")
        return answer

    async def fetch(self, url: str, **more: Any) -> HTTPResponse:
        """Any answer of the provider. Raises LoginFault if there is none."""
        headers = {"Accept": "application/json", "User-Agent": "Flower", **more.pop("headers", {})}
        request = HTTPRequest(
            url, headers=headers, connect_timeout=SECONDS, request_timeout=SECONDS, follow_redirects=False, **more
        )
        try:
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        except (OSError, ValueError, HTTPClientError) as error:
            raise self._silent(url, error) from None
        if answer.code == 599 or len(answer.body or b"") > ANSWER_MOST:
            raise self._silent(url, answer.error)
        return answer

    def parsed(self, answer: HTTPResponse) -> Any:
        """The JSON of an answer."""
        try:
            return orjson.loads(answer.body)
        except ValueError:
            logger.warning("%s answered %d without JSON", self.label, answer.code)
            raise LoginFault(f"{self.label} answered {answer.code} in a way that cannot be understood") from None

    def _silent(self, url: str, error: BaseException | None) -> LoginFault:
        parts = urlsplit(url)
        logger.warning("%s cannot be reached at %s://%s: %s", self.label, parts.scheme, parts.netloc, error)
        return LoginFault(f"{self.label} cannot be reached at the moment")


def base_url(option: str, text: str) -> str:
    """The URL of a host name, or of a URL; https, or http on this machine only. Raises ProviderFault."""
    url = text.strip().rstrip("/")
    url = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not secure(url):
        raise ProviderFault(f"{option}: must be a host name or an https URL, not {text!r}")
    return url


def secure(url: object) -> bool:
    """Whether nobody can listen on the way to a URL."""
    try:
        parts = urlsplit(str(url))
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        return False


def verified(value: object) -> bool:
    """Whether a provider says yes; some say it as a text or a number."""
    return value is True or value in (1, "1") or (isinstance(value, str) and value.lower() == "true")


def addresses(*found: object) -> tuple[str, ...]:
    """The texts among them, in one case, each once."""
    texts = [each.strip() for each in found if isinstance(each, str) and "@" in each]
    # Outside ASCII lower() makes a k of the Kelvin sign: another address would pass for somebody's.
    return tuple(dict.fromkeys(text.lower() if text.isascii() else text for text in texts))
