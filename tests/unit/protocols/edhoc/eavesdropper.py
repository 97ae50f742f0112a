"""Somebody who recorded the messages of a session, and tries keys on them afterwards (RFC 9528 §9.1)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import product

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import AuthenticationError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    MESSAGE_4,
    Label,
    apply_keystream,
    expand_secret,
    following_transcript,
    mix,
    open_sealed,
    second_transcript,
    transcript_hash,
)
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret


class Eavesdropper:
    """Holds four messages of one session, without what CoAP puts in front, and knows whose credentials they show."""

    def __init__(self, suite: CipherSuite, messages: Iterable[bytes], *, cred_i: bytes, cred_r: bytes) -> None:
        message_1, *rest = messages
        content, self._sealed_3, self._sealed_4 = (codec.decode(message) for message in rest)
        g_y, self._hidden = content[: suite.point_size], content[suite.point_size :]
        self._suite, self._cred_i, self._cred_r = suite, cred_i, cred_r
        self._points = [PublicKey.from_x(suite.curve, x) for x in (codec.decode_sequence(message_1)[2], g_y)]
        self._th_2 = second_transcript(suite, g_y, transcript_hash(suite, message_1))

    def opened(self, keys: Iterable[PrivateKey]) -> list[bytes]:
        """PLAINTEXT_3 and PLAINTEXT_4, where these private keys lead to them: each way through the key schedule is
        tried with every secret that they have with an ephemeral key seen, or with each other.
        """
        secrets = list(self._agreements(list(keys)))
        return list(dict.fromkeys(plaintext for g_xy in secrets for plaintext in self._opened(g_xy, secrets)))

    def _agreements(self, keys: list[PrivateKey]) -> Iterator[Secret]:
        for key, point in product(keys, (*self._points, *(other.public for other in keys))):
            with suppress(UnsupportedError):
                yield key.agree(point)

    def _opened(self, g_xy: Secret, secrets: list[Secret]) -> Iterator[bytes]:
        suite, prk_2e = self._suite, mix(self._suite, self._th_2, g_xy)
        plaintext_2 = apply_keystream(suite, prk_2e, Label.KEYSTREAM_2, self._hidden, th=self._th_2)
        th_3 = following_transcript(suite, self._th_2, plaintext_2, self._cred_r)
        for prk_3e2m in self._next(prk_2e, Label.SALT_3E2M, self._th_2, secrets):
            with suppress(AuthenticationError):
                plaintext_3 = open_sealed(suite, prk_3e2m, MESSAGE_3, th=th_3, ciphertext=self._sealed_3)
                yield plaintext_3
                th_4 = following_transcript(suite, th_3, plaintext_3, self._cred_i)
                for prk_4e3m in self._next(prk_3e2m, Label.SALT_4E3M, th_3, secrets):
                    with suppress(AuthenticationError):
                        yield open_sealed(suite, prk_4e3m, MESSAGE_4, th=th_4, ciphertext=self._sealed_4)

    def _next(self, prk: Secret, label: Label, th: bytes, secrets: list[Secret]) -> list[Secret]:
        salt = expand_secret(self._suite, prk, label, context=th).reveal()
        return [prk, *(mix(self._suite, salt, secret) for secret in secrets)]
