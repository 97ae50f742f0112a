"""Cipher suites as rows, and how two endpoints settle on one (RFC 9528 §3.6, §6.3, §10.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.key import KeyType
from thingstead.errors import UnsupportedError
from thingstead.protocols.edhoc.error import WrongSuiteError

__all__ = [
    "EXPERIMENTAL_SUITES",
    "HYBRID",
    "SUITES",
    "CipherSuite",
    "accept_suite",
    "choose_suite",
    "cipher_suite",
    "offer_suites",
]


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """One row of the registry "EDHOC Cipher Suites".

    Attributes:
        number: as in SUITES_I.
        aead: protects messages 3 and 4.
        digest: of the transcript and the key schedule.
        mac_size: bytes of MAC_2 and MAC_3 under static Diffie-Hellman.
        curve: of the ephemeral keys, and of static Diffie-Hellman keys; or the KEM.
        point_size: bytes of G_Y: an x coordinate on NIST curves, a ciphertext where the suite has a KEM, or both.
        signature: of methods that sign.
        application_aead: for the OSCORE context.
        application_digest: likewise.
        agrees: whether the key exchange is Diffie-Hellman, as methods with static keys need.
        kem: whose secret is put behind that of Diffie-Hellman, where a suite has both; None where it has one.
        coordinate_size: bytes of a key of the curve alone.
        kem_size: bytes of its ciphertext; behind the point in G_Y, as its encapsulation key is in G_X.
        hash_size: bytes of the EDHOC hash.
        key_size: bytes of K_3 and K_4.
        nonce_size: bytes of IV_3 and IV_4.
        application_key_size: bytes of the OSCORE Master Secret (RFC 9528 Appendix A.1).
        identifier_size: most bytes of a connection identifier that becomes an OSCORE ID (RFC 8613 §3.3).
    """

    number: int
    aead: AlgorithmId
    digest: AlgorithmId
    mac_size: int
    curve: KeyType
    point_size: int
    signature: AlgorithmId
    application_aead: AlgorithmId
    application_digest: AlgorithmId
    agrees: bool = True
    kem: KeyType | None = None
    kem_size: int = 0
    coordinate_size: int = field(init=False)
    hash_size: int = field(init=False)
    key_size: int = field(init=False)
    nonce_size: int = field(init=False)
    application_key_size: int = field(init=False)
    identifier_size: int = field(init=False)

    def __post_init__(self) -> None:
        aead = algorithm(self.aead, Kind.AEAD)
        application = algorithm(self.application_aead, Kind.AEAD)
        sizes = {
            "hash_size": algorithm(self.digest, Kind.DIGEST).output_size,
            "key_size": aead.key_size,
            "nonce_size": aead.nonce_size,
            "application_key_size": application.key_size,
            "identifier_size": application.nonce_size - 6,
            "coordinate_size": self.point_size - self.kem_size,
        }
        for name, size in sizes.items():
            object.__setattr__(self, name, size)


_A = AlgorithmId
_CCM_8, _CCM_16, _CHACHA = _A.AES_CCM_16_64_128, _A.AES_CCM_16_128_128, _A.CHACHA20_POLY1305
_X25519, _P256, _P384 = (KeyType.X25519, 32), (KeyType.P256, 32), (KeyType.P384, 48)

# Suite 25 derives keys by KMAC256 (RFC 9528 §4.1.1), which no library that we build upon has.
SUITES: dict[int, CipherSuite] = {
    row.number: row
    for row in (
        CipherSuite(0, _CCM_8, _A.SHA_256, 8, *_X25519, _A.EDDSA, _CCM_8, _A.SHA_256),
        CipherSuite(1, _CCM_16, _A.SHA_256, 16, *_X25519, _A.EDDSA, _CCM_8, _A.SHA_256),
        CipherSuite(2, _CCM_8, _A.SHA_256, 8, *_P256, _A.ES256, _CCM_8, _A.SHA_256),
        CipherSuite(3, _CCM_16, _A.SHA_256, 16, *_P256, _A.ES256, _CCM_8, _A.SHA_256),
        CipherSuite(4, _CHACHA, _A.SHA_256, 16, *_X25519, _A.EDDSA, _CHACHA, _A.SHA_256),
        CipherSuite(5, _CHACHA, _A.SHA_256, 16, *_P256, _A.ES256, _CHACHA, _A.SHA_256),
        CipherSuite(6, _A.A128GCM, _A.SHA_256, 16, *_X25519, _A.ES256, _A.A128GCM, _A.SHA_256),
        CipherSuite(24, _A.A256GCM, _A.SHA_384, 16, *_P384, _A.ES384, _A.A256GCM, _A.SHA_384),
    )
}

HYBRID = -22
"""Ours, of the numbers for private use (RFC 9528 §10.2): whoever breaks one of the two exchanges has neither's secret.

G_X is an x coordinate of P-256 with an ML-KEM-1024 encapsulation key behind it, G_Y one with a ciphertext; G_XY is the
secret of ECDH with that of the KEM behind it, as in draft-ietf-tls-ecdhe-mlkem §4.3. Static keys agree with the point
alone: who has a quantum computer on the day of the handshake can pass for somebody, and reads nothing recorded before.
"""

EXPERIMENTAL_SUITES: dict[int, CipherSuite] = {
    row.number: row
    for row in (
        CipherSuite(
            -21,
            _A.A256GCM,
            _A.SHA_384,
            16,
            KeyType.ML_KEM_1024,
            1568,
            _A.ML_DSA_87,
            _A.A256GCM,
            _A.SHA_384,
            agrees=False,
        ),
        CipherSuite(
            HYBRID,
            _A.A256GCM,
            _A.SHA_384,
            16,
            KeyType.P256,
            32 + 1568,
            _A.ES256,
            _A.A256GCM,
            _A.SHA_512,
            kem=KeyType.ML_KEM_1024,
            kem_size=1568,
        ),
    )
}
"""-21 is TBD3 of draft-ietf-lake-pqsuites-01 §6.2; nothing in the product offers or accepts it. -22 is `HYBRID`.

TBD1 and TBD2 need ML-KEM-512, and KMAC256 like suite 25. Messages pass 4096 bytes: `Limits` have to be raised with it.
"""


def cipher_suite(number: int) -> CipherSuite:
    """Look up a suite.

    Raises:
        UnsupportedError: unknown, or one that we do not have.
    """
    row = SUITES.get(number) or EXPERIMENTAL_SUITES.get(number)
    if row is None:
        raise UnsupportedError(f"expected one of cipher suites {sorted(SUITES)}, got {number}", spec="RFC 9528 §10.2")
    return row


def offer_suites(preferences: Sequence[int], selected: int) -> tuple[int, ...]:
    """SUITES_I: the preferences up to the selected suite, which stands last (RFC 9528 §5.2.2).

    Raises:
        ValueError: the selected suite is not among the preferences.
    """
    return tuple(preferences[: preferences.index(selected) + 1])


def accept_suite(suites_i: Sequence[int], supported: Sequence[int]) -> CipherSuite:
    """The selected suite, if it is the first in SUITES_I that the Responder supports (RFC 9528 §5.2.3).

    Raises:
        WrongSuiteError: it is not; the error names every supported suite, the wanted one among them.
    """
    common = [suite for suite in suites_i if suite in supported]
    if not common or common[0] != suites_i[-1] or len(common) != 1:
        raise WrongSuiteError(
            f"expected the first of suites {list(supported)} in the Initiator's order, got {list(suites_i)[:16]}",
            suites=tuple(supported),
        )
    return cipher_suite(suites_i[-1])


def choose_suite(preferences: Sequence[int], suites_r: Sequence[int]) -> int:
    """What to select next, after an error that named SUITES_R (RFC 9528 §6.3.1).

    The error may be forged: the order of preference stays, so that the Responder sees what was passed over.

    Raises:
        UnsupportedError: nothing in common.
    """
    for suite in preferences:
        if suite in suites_r:
            return suite
    raise UnsupportedError(
        f"expected one of cipher suites {list(preferences)} at the Responder, got {list(suites_r)[:16]}",
        spec="RFC 9528 §6.3.1",
    )
