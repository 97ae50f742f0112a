"""How an Initiator begins, whatever the method: message_1, and message_2 as far as anybody could have made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from thingstead.crypto.key import KeyType, PrivateKey
from thingstead.protocols.edhoc.ead import EadItem, encode_ead
from thingstead.protocols.edhoc.key_exchange import EphemeralKey, OwnX, make_x, take_g_y
from thingstead.protocols.edhoc.message import Limits, decode_byte_string, encode_message_1
from thingstead.protocols.edhoc.schedule import Label, apply_keystream, mix, second_transcript, transcript_hash
from thingstead.protocols.edhoc.suite import CipherSuite, offer_suites
from thingstead.secret import Secret

__all__ = ["Begun", "Opened", "begin"]


@dataclass(frozen=True, slots=True)
class Opened:
    """message_2, decrypted and not verified.

    Attributes:
        plaintext: PLAINTEXT_2.
        prk_2e: from the ephemeral keys alone.
        th_2: TH_2.
        agree_with_g_y: how a static key of ours agrees with G_Y.
    """

    plaintext: bytes
    prk_2e: Secret
    th_2: bytes
    agree_with_g_y: Callable[[PrivateKey], Secret]


@dataclass(frozen=True, slots=True)
class Begun:
    """What is held while message_1 is out.

    Attributes:
        suite: the selected suite.
        x: the ephemeral keys.
        h_message_1: H(message_1).
    """

    suite: CipherSuite
    x: OwnX
    h_message_1: bytes

    def open(self, message_2: bytes, *, limits: Limits) -> Opened:
        """Decrypt message_2 (RFC 9528 §5.3.3).

        Raises:
            PeerError: an error message came instead.
            DecodeError: malformed, or a G_Y that is no point.
        """
        suite, content = self.suite, decode_byte_string(message_2, limits=limits)
        g_y, hidden = content[: suite.point_size], content[suite.point_size :]
        g_xy, agree_with_g_y = take_g_y(suite, self.x, g_y)
        th_2 = second_transcript(suite, g_y, self.h_message_1)
        prk_2e = mix(suite, th_2, g_xy)
        plaintext = apply_keystream(suite, prk_2e, Label.KEYSTREAM_2, hidden, th=th_2)
        return Opened(plaintext, prk_2e, th_2, agree_with_g_y)


def begin(
    method: int,
    suites: tuple[int, ...],
    suite: CipherSuite,
    *,
    ephemeral: Callable[[KeyType], EphemeralKey],
    c_i: bytes,
    ead_1: Iterable[EadItem],
) -> tuple[bytes, Begun]:
    """Make message_1 with an ephemeral key of its own (RFC 9528 §5.2.2)."""
    x = make_x(suite, ephemeral)
    offered = offer_suites(suites, suite.number)
    message_1 = encode_message_1(method, offered, x.g_x, c_i=c_i, ead_1=encode_ead(ead_1))
    return message_1, Begun(suite, x, transcript_hash(suite, message_1))
