"""Verifying an access token, and refusing a stranger's, beside one ES256 verification; what a token weighs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.alternate import alternate
from bench.figure import Figure
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError
from thingstead.protocols.ace import sealed_token, token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token_upload import TokenUpload
from thingstead.protocols.cwt import token as cwt
from thingstead.secret import Secret

__all__ = ["figures"]

_ROUNDS = 2_000
_LIGHT = "thing-aaaaaaaaaaaaaaaa"
_AT = datetime(2026, 11, 23, tzinfo=UTC)
_TOKEN_KEY = Secret(bytes(range(16)))
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})


def _refused(upload: bytes) -> None:
    with suppress(AuthenticationError):
        sealed_token.unseal(TokenUpload.decode(upload).access_token, _TOKEN_KEY)


def figures() -> list[Figure]:
    """Microseconds for a CWT, a whole access token and a stranger's, alternating with the bare verification; bytes."""
    issuer, holder = generate(KeyType.P256), generate(KeyType.P256).public
    encoded = token.issue(
        holder,
        issuer,
        issuer="home",
        subject="thing-bbbbbbbbbbbbbbbb",
        audience=_LIGHT,
        scope=Scope({"/light": 5}),
        at=_AT,
        expires=_AT + timedelta(hours=1),
        cti=bytes(8),
        signature_id=AlgorithmId.ESP256,
    )
    strange = TokenUpload(sealed_token.seal(encoded, Secret(bytes(16)), nonce=bytes(13)), bytes(8), b"id").encode()
    bare = ec.generate_private_key(ec.SECP256R1())
    public, data = bare.public_key(), encoded[:-64]
    der = bare.sign(data, ec.ECDSA(hashes.SHA256()))
    contenders: dict[str, Callable[[], object]] = {
        "cwt": lambda: cwt.authenticate(encoded, issuer.public, accept=_ACCEPT, at=_AT, issuer="home", audience=_LIGHT),
        "token": lambda: token.authenticate(
            encoded, issuer.public, accept=_ACCEPT, at=_AT, issuer="home", audience=_LIGHT, presenter=holder
        ),
        "bare": lambda: public.verify(der, data, ec.ECDSA(hashes.SHA256())),
    }
    microseconds = alternate(contenders, rounds=_ROUNDS)
    refusal = alternate({"stranger": lambda: _refused(strange)}, rounds=_ROUNDS)
    one, peer = microseconds["bare"], "one ES256 verification, cryptography"
    return [
        Figure("CWT: verify signature and claims", "us", microseconds["cwt"], one, peer),
        Figure("access token: verify, with scope and holder", "us", microseconds["token"], one, peer),
        Figure("upload of a stranger: refused", "us", refusal["stranger"], one, peer),
        Figure("access token for another thing", "bytes", float(len(encoded))),
    ]
