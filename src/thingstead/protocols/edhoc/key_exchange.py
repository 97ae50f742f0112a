"""What G_X and G_Y are: Diffie-Hellman keys, or a key to encapsulate with and the ciphertext made with it, or both.

The second is draft-ietf-lake-pqsuites-01 §3, where there is no static key to agree with. With both, the secrets stand
one behind the other; the transcript has both keys and the ciphertext, and so binds them (NIST SP 800-56C §2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.errors import UnsupportedError
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = ["GX", "EphemeralKey", "OwnX", "answer_g_x", "make_x", "read_g_x", "take_g_y"]


class EphemeralKey(PrivateKey, Protocol):
    """A fresh key pair, which serves one session."""

    def decapsulate(self, ciphertext: bytes) -> Secret:
        """The secret in a ciphertext, where the key is of a KEM."""
        ...


@dataclass(frozen=True, slots=True)
class GX:
    """G_X, read.

    Attributes:
        public: of the suite's curve, or its KEM.
        kem: beside it, where the suite has both.
    """

    public: PublicKey
    kem: PublicKey | None = None


@dataclass(frozen=True, slots=True)
class OwnX:
    """What the Initiator keeps of G_X.

    Attributes:
        key: of the suite's curve, or its KEM.
        kem: beside it, where the suite has both.
    """

    key: EphemeralKey
    kem: EphemeralKey | None = None

    @property
    def g_x(self) -> bytes:
        """As message_1 carries it."""
        return self.key.public.x + (b"" if self.kem is None else self.kem.public.x)


def make_x(suite: CipherSuite, ephemeral: Callable[[KeyType], EphemeralKey]) -> OwnX:
    """Fresh keys for one message_1."""
    return OwnX(ephemeral(suite.curve), None if suite.kem is None else ephemeral(suite.kem))


def read_g_x(suite: CipherSuite, data: bytes) -> GX:
    """Take G_X apart.

    Raises:
        DecodeError: no point of the suite's curve, or of another length.
    """
    if suite.kem is None:
        return GX(PublicKey.from_x(suite.curve, data))
    size = suite.coordinate_size
    return GX(PublicKey.from_x(suite.curve, data[:size]), PublicKey.from_x(suite.kem, data[size:]))


def answer_g_x(
    suite: CipherSuite, g_x: GX, ephemeral: Callable[[KeyType], EphemeralKey]
) -> tuple[bytes, Secret, Callable[[PublicKey], Secret]]:
    """The Responder's part.

    Returns:
        G_Y, G_XY, and how Y agrees with a static key of the Initiator's.

    Raises:
        DecodeError: a G_X of small order, or no encapsulation key.
    """
    if not suite.agrees:
        g_y, shared = g_x.public.encapsulate()
        return g_y, shared, _disagree
    y = ephemeral(suite.curve)
    agreed = y.agree(g_x.public)
    if g_x.kem is None:
        return y.public.x, agreed, y.agree
    ciphertext, shared = g_x.kem.encapsulate()
    return y.public.x + ciphertext, _both(agreed, shared), y.agree


def take_g_y(suite: CipherSuite, x: OwnX, g_y: bytes) -> tuple[Secret, Callable[[PrivateKey], Secret]]:
    """The Initiator's part.

    Returns:
        G_XY, and how a static key of ours agrees with G_Y.

    Raises:
        DecodeError: neither a point of the suite's curve nor a ciphertext of its KEM.
    """
    if not suite.agrees:
        return x.key.decapsulate(g_y), _disagree
    public = PublicKey.from_x(suite.curve, g_y[: suite.coordinate_size])
    agreed = x.key.agree(public)
    if x.kem is not None:
        agreed = _both(agreed, x.kem.decapsulate(g_y[suite.coordinate_size :]))
    return agreed, lambda key: key.agree(public)


def _both(agreed: Secret, encapsulated: Secret) -> Secret:
    return Secret(agreed.reveal() + encapsulated.reveal())


def _disagree(_key: object) -> Secret:
    raise UnsupportedError("expected a suite of a Diffie-Hellman key exchange", spec="draft-ietf-lake-pqsuites-01 §6.1")
