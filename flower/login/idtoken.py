"""Checks the id tokens of OpenID Connect, with PyJWT: the extra `flower[oidc]`."""

from __future__ import annotations

import hmac
import logging
from importlib import import_module
from typing import Any

from flower.login.faults import LoginFault
from flower.login.provider import ProviderFault

logger = logging.getLogger(__name__)

# Never `none`, and none with a shared secret: a public key would pass for one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
REQUIRED = ("iss", "sub", "aud", "exp", "iat")
LEEWAY_SECONDS = 60
TOKEN_MOST = 100_000

WRONG = "The login provider's word for who you are cannot be trusted"


def need_library() -> None:
    """Raises ProviderFault where PyJWT, or what it needs for public keys, is missing."""
    try:
        import_module("jwt")
        import_module("cryptography")
    except ModuleNotFoundError as error:
        raise ProviderFault(
            f"auth_provider: OpenID Connect needs the package {error.name}: pip install 'flower[oidc]'"
        ) from None


class Keys:
    """The public keys of a provider, by their ids."""

    def __init__(self, document: object) -> None:
        """Raises LoginFault."""
        jwt = import_module("jwt")
        rows = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise LoginFault("The login provider tells no keys")
        self._keys: list[Any] = []
        for row in rows:
            try:
                if isinstance(row, dict) and row.get("use", "sig") == "sig" and row.get("kty") != "oct":
                    self._keys.append(jwt.PyJWK.from_dict(row))
            except jwt.PyJWTError:
                continue  # a kind of key that is not known here

    def find(self, token: str) -> Any | None:
        """The key that a token says it is signed with; the only one there is if it does not say."""
        jwt = import_module("jwt")
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            return None
        found = [key for key in self._keys if key.key_id == name] if name is not None else self._keys
        return found[0] if len(found) == 1 else None

    def has(self, token: str) -> bool:
        """Whether its key is among them."""
        return self.find(token) is not None


def claims_of(token: str, keys: Keys, issuer: str, audience: str, nonce: str) -> dict[str, Any]:
    """What a token says, if it is signed by the provider, for us, now, and for this attempt. Raises LoginFault."""
    jwt = import_module("jwt")
    key = keys.find(token) if len(token) <= TOKEN_MOST else None
    if key is None:
        raise _untrusted("it is missing, or signed with an unknown key")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED)},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _untrusted(str(error)) from None
    if not isinstance(claims["aud"], str) and len(claims["aud"]) > 1 and claims.get("azp") != audience:
        raise _untrusted("it is for several programs and not given to this one")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise _untrusted("its nonce is another one")
    return claims


def _untrusted(why: str) -> LoginFault:
    logger.warning("An id token was refused: %s", why)
    return LoginFault(WRONG, 403)
