"""How a party proves its credential: by static Diffie-Hellman and a MAC, or by a signature (RFC 9528 §3.2, §5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey, verify
from thingstead.errors import AuthenticationError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.structure import sig_structure
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.identifier import encode_identifier
from thingstead.protocols.edhoc.schedule import Label, expand, expand_secret, mix
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = [
    "METHODS",
    "Authentication",
    "Claim",
    "Method",
    "advance",
    "key_type",
    "method_row",
    "proof_size",
    "prove",
    "require_fit",
    "require_own",
    "verify_proof",
]


class Authentication(Enum):
    """What a party's authentication key is for."""

    SIGNATURE = "signature key"
    STATIC_DH = "static Diffie-Hellman key"


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the registry "EDHOC Method Types" (RFC 9528 §3.2)."""

    number: int
    initiator: Authentication
    responder: Authentication


METHODS: dict[int, Method] = {
    row.number: row
    for row in (
        Method(0, Authentication.SIGNATURE, Authentication.SIGNATURE),
        Method(1, Authentication.SIGNATURE, Authentication.STATIC_DH),
        Method(2, Authentication.STATIC_DH, Authentication.SIGNATURE),
        Method(3, Authentication.STATIC_DH, Authentication.STATIC_DH),
    )
}


_SIGNING_KEYS = {
    AlgorithmId.EDDSA: KeyType.ED25519,
    AlgorithmId.ES256: KeyType.P256,
    AlgorithmId.ES384: KeyType.P384,
    AlgorithmId.ML_DSA_87: KeyType.ML_DSA_87,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """Everything that Signature_or_MAC_2 or Signature_or_MAC_3 covers.

    Attributes:
        suite: the selected suite.
        kind: how the party authenticates.
        prk: PRK_3e2m for MAC_2, PRK_4e3m for MAC_3.
        label: `Label.MAC_2` or `Label.MAC_3`.
        th: TH_2 or TH_3.
        id_cred: the full map, as it travelled or would have.
        cred: CRED_x.
        ead: EAD_x as encoded.
        c_r: in message_2 only.
    """

    suite: CipherSuite
    kind: Authentication
    prk: Secret
    label: Label
    th: bytes
    id_cred: bytes
    cred: bytes
    ead: bytes
    c_r: bytes | None = None

    def mac(self) -> bytes:
        """MAC_2 or MAC_3, over context_2 or context_3 (RFC 9528 §5.3.2, §5.4.2)."""
        prefix = b"" if self.c_r is None else encode_identifier(self.c_r)
        context = prefix + self.id_cred + codec.encode(self.th) + self.cred + self.ead
        size = self.suite.mac_size if self.kind is Authentication.STATIC_DH else self.suite.hash_size
        return expand(self.suite, self.prk, self.label, context=context, size=size)

    def signed(self) -> bytes:
        """The Sig_structure of the COSE_Sign1 whose payload is the MAC (RFC 9052 §4.4)."""
        covered = codec.encode(self.th) + self.cred + self.ead
        return sig_structure(body_protected=self.id_cred, external_aad=covered, payload=self.mac())


def method_row(number: int) -> Method:
    """Look up a method.

    Raises:
        UnsupportedError: unknown.
    """
    row = METHODS.get(number)
    if row is None:
        raise UnsupportedError(f"expected one of methods {sorted(METHODS)}, got {number}", spec="RFC 9528 §3.2")
    return row


def require_fit(method: Method, suite: CipherSuite) -> None:
    """Check that a method's static keys have a curve in the suite (draft-ietf-lake-pqsuites-01 §6).

    Raises:
        UnsupportedError: the suite has a KEM, and no static key agrees with a ciphertext.
    """
    if not suite.agrees and Authentication.STATIC_DH in (method.initiator, method.responder):
        raise UnsupportedError(
            f"method {method.number} needs a suite of a Diffie-Hellman key exchange, got {suite.number}",
            spec="draft-ietf-lake-pqsuites-01 §6.1",
        )


def advance(
    suite: CipherSuite,
    kind: Authentication,
    prk: Secret,
    *,
    label: Label,
    th: bytes,
    agree: Callable[[], Secret],
) -> Secret:
    """PRK_3e2m from PRK_2e, or PRK_4e3m from PRK_3e2m: a static Diffie-Hellman secret is mixed in (RFC 9528 §4.1.1).

    Raises:
        UnsupportedError, DecodeError: from `agree`, whose key is not of the suite's curve.
    """
    if kind is Authentication.SIGNATURE:
        return prk
    return mix(suite, expand_secret(suite, prk, label, context=th).reveal(), agree())


def proof_size(suite: CipherSuite, kind: Authentication) -> int:
    """Bytes of Signature_or_MAC_x."""
    if kind is Authentication.STATIC_DH:
        return suite.mac_size
    return algorithm(suite.signature, Kind.SIGNATURE).output_size


def key_type(suite: CipherSuite, kind: Authentication) -> KeyType:
    """What an authentication key must be (RFC 9528 §3.5.1)."""
    return suite.curve if kind is Authentication.STATIC_DH else _SIGNING_KEYS[suite.signature]


def require_own(
    suite: CipherSuite,
    kind: Authentication,
    credential: Credential,
    *,
    key: PrivateKey,
    identifier: bytes,
    other: bytes | None = None,
) -> None:
    """Check what our own application gives us; `other` is the peer's connection identifier, where it is known.

    Raises:
        ValueError: a key that is not the credential's, or fits not suite and method, or an identifier that is too long
            or the peer's.
    """
    if key.public != credential.public:
        raise ValueError("the key is not that of the credential")
    if key.public.type is not key_type(suite, kind):
        raise ValueError(f"suite {suite.number} takes a {key_type(suite, kind).name} key as {kind.value}, not {key!r}")
    if len(identifier) > suite.identifier_size or identifier == other:
        raise ValueError(
            f"a connection identifier is not the peer's and has at most {suite.identifier_size} bytes (RFC 9528 §3.3.3)"
        )


def prove(claim: Claim, key: PrivateKey) -> bytes:
    """Make Signature_or_MAC_x."""
    if claim.kind is Authentication.STATIC_DH:
        return claim.mac()
    return key.sign(claim.signed(), claim.suite.signature)


def verify_proof(claim: Claim, proof: bytes, public: PublicKey) -> None:
    """Check Signature_or_MAC_x; under static Diffie-Hellman the key has its part in `claim.prk`.

    Raises:
        AuthenticationError: it does not verify.
        UnsupportedError: the credential's key is none of the suite's signature algorithm.
    """
    if claim.kind is Authentication.SIGNATURE:
        verify(public, signature=proof, data=claim.signed(), signature_id=claim.suite.signature)
    elif Secret(claim.mac()) != Secret(proof):
        raise AuthenticationError(f"the {claim.label.name} of this credential does not verify", spec="RFC 9528 §5.3.3")
