"""Any OpenID Connect provider, found by its issuer: Keycloak, Entra ID, Auth0, Authentik and others.

Who somebody is stands in the id token, whose signature, issuer, audience, times and nonce are checked
(`flower.login.idtoken`); the userinfo endpoint is asked for what the token leaves out.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from flower.login.attempts import Attempt
from flower.login.faults import LoginFault
from flower.login.idtoken import Keys, claims_of, need_library
from flower.login.provider import Client, Identity, Provider, ProviderFault, addresses, base_url, secure, verified

DISCOVERY_SECONDS = 3600.0
AGAIN_SECONDS = 2.0
"""After a failure nobody waits for the next one: many may want to log in at the same time."""
KEYS_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 60.0
"""How often an unknown key id may have the keys fetched anew."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Oidc(Provider):
    """https://openid.net/specs/openid-connect-core-1_0.html"""

    label = "The login provider"
    scope = "openid email profile"
    needs_secret = False
    prompt_for_other = "login"

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        issuer = client.values.get("oidc_issuer")
        if not issuer:
            raise ProviderFault("auth_provider: OpenID Connect needs oidc_issuer, the URL of the provider")
        need_library()
        self.issuer = base_url("oidc_issuer", issuer)
        self.allowed = frozenset(client.values.get("oidc_allowed_groups") or ())
        self._document: dict[str, Any] = {}
        self._read_at = self._failed_at = -DISCOVERY_SECONDS
        self._reading = asyncio.Lock()
        self._keys: Keys | None = None
        self._keys_at = 0.0

    def scope_asked(self) -> str:
        return str(self.client.values.get("oidc_scopes") or self.scope)

    def asked_too(self, attempt: Attempt) -> dict[str, str]:
        return {"nonce": attempt.nonce}

    def comes_from(self, issuer: str | None) -> bool:
        return issuer is None or issuer.rstrip("/") == self.issuer

    async def endpoints(self) -> tuple[str, str]:
        document = await self.discover()
        return document["authorization_endpoint"], document["token_endpoint"]

    async def discover(self) -> dict[str, Any]:
        """What the provider says of itself, read at most once an hour."""
        if time.monotonic() - self._read_at < DISCOVERY_SECONDS:
            return self._document
        async with self._reading:
            if time.monotonic() - self._read_at < DISCOVERY_SECONDS:
                return self._document
            if time.monotonic() - self._failed_at < AGAIN_SECONDS:
                raise LoginFault("The login provider could not be reached a moment ago")
            try:
                return await self._describe()
            except LoginFault:
                self._failed_at = time.monotonic()
                raise

    async def _describe(self) -> dict[str, Any]:
        document = await self.get(f"{self.issuer}/.well-known/openid-configuration")
        if not isinstance(document, dict) or not all(secure(document.get(name)) for name in NEEDED):
            raise LoginFault("The login provider does not describe itself as OpenID Connect says")
        if str(document.get("issuer")).rstrip("/") != self.issuer:
            raise LoginFault("The login provider says that it is another one than oidc_issuer names")
        self._document, self._read_at = document, time.monotonic()
        return document

    async def token(self, code: str, attempt: Attempt, basic: bool = False) -> dict[str, Any]:
        ways = (await self.discover()).get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return await super().token(code, attempt, bool(self.client.secret) and "client_secret_post" not in ways)

    async def identity(self, token: dict[str, Any], attempt: Attempt) -> Identity:
        document = await self.discover()
        claims = await self._claims(str(token.get("id_token") or ""), attempt)
        if not self._told(claims).emails and secure(document.get("userinfo_endpoint")):
            more = await self.get(document["userinfo_endpoint"], token["access_token"])
            # OpenID Connect Core 5.3.2: or it may be somebody else's.
            if not isinstance(more, dict) or more.get("sub") != claims["sub"]:
                raise LoginFault("The login provider told of somebody else than logged in", 403)
            claims = {**more, **claims}
        return self._told(claims)

    async def _claims(self, id_token: str, attempt: Attempt) -> dict[str, Any]:
        keys = await self._known_keys(KEYS_SECONDS)
        if not keys.has(id_token):
            keys = await self._known_keys(KEYS_AGAIN_SECONDS)
        return claims_of(id_token, keys, str(self._document["issuer"]), self.client.key, attempt.nonce)

    async def _known_keys(self, age_seconds: float) -> Keys:
        """The provider's keys, not older than this."""
        if self._keys is None or time.monotonic() - self._keys_at > age_seconds:
            self._keys = Keys(await self.get(self._document["jwks_uri"]))
            self._keys_at = time.monotonic()
        return self._keys

    def _told(self, claims: dict[str, Any]) -> Identity:
        values = self.client.values
        email = addresses(claims.get(values.get("oidc_email_claim") or "email"))
        # xms_edov is Entra ID's word for it, an optional claim.
        known = verified(claims.get("email_verified")) or verified(claims.get("xms_edov"))
        trusted = known or bool(values.get("oidc_trust_email"))
        return Identity(email if trusted else (), _groups(claims, values.get("oidc_groups_claim") or "groups"))


def _groups(claims: dict[str, Any], path: str) -> tuple[str, ...]:
    """The texts of a claim; a claim within a claim is named with a dot, as in realm_access.roles."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return (found,)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
