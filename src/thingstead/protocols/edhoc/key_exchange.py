"""What G_X and G_Y are: two Diffie-Hellman keys, or a key to encapsulate with and the ciphertext made with it.

The second is draft-ietf-lake-pqsuites-01 §3: experimental, and there is no static key to agree with then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.errors import UnsupportedError
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = ["EphemeralKey", "answer_g_x", "take_g_y"]


class EphemeralKey(PrivateKey, Protocol):
    """A fresh key pair, which serves one session."""

    def decapsulate(self, ciphertext: bytes) -> Secret:
        """The secret in a ciphertext, where the key is of a KEM."""
        ...


def answer_g_x(
    suite: CipherSuite, g_x: PublicKey, ephemeral: Callable[[KeyType], EphemeralKey]
) -> tuple[bytes, Secret, Callable[[PublicKey], Secret]]:
    """The Responder's part.

    Returns:
        G_Y, G_XY, and how Y agrees with a static key of the Initiator's.

    Raises:
        DecodeError: a G_X of small order.
    """
    if not suite.agrees:
        g_y, shared = g_x.encapsulate()
        return g_y, shared, _disagree
    y = ephemeral(suite.curve)
    return y.public.x, y.agree(g_x), y.agree


def take_g_y(suite: CipherSuite, x: EphemeralKey, g_y: bytes) -> tuple[Secret, Callable[[PrivateKey], Secret]]:
    """The Initiator's part.

    Returns:
        G_XY, and how a static key of ours agrees with G_Y.

    Raises:
        DecodeError: neither a point of the suite's curve nor a ciphertext of its KEM.
    """
    if not suite.agrees:
        return x.decapsulate(g_y), _disagree
    public = PublicKey.from_x(suite.curve, g_y)
    return x.agree(public), lambda key: key.agree(public)


def _disagree(_key: object) -> Secret:
    raise UnsupportedError("expected a suite of a Diffie-Hellman key exchange", spec="draft-ietf-lake-pqsuites-01 §6.1")
