"""The algorithm registry: COSE numbers, sizes, and what is thought of each, in one table with its sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, IntEnum

from thingstead.crypto.judgement import (
    EC_AGREEMENT,
    EC_SIGNATURE,
    HASH_SIGNATURE,
    LATTICE,
    OPEN_CURVE,
    SYMMETRIC,
    SYMMETRIC_SPARE,
    Judgement,
    Status,
)
from thingstead.errors import UnsupportedError
from thingstead.secret import Secret

__all__ = ["REGISTRY", "Algorithm", "AlgorithmId", "Kind", "algorithm", "fitting"]


class Kind(Enum):
    """What an algorithm is used for; a number of one kind is never accepted where another is expected."""

    SIGNATURE = "signature"
    MAC = "mac"
    AEAD = "content encryption"
    STREAM = "unauthenticated encryption, inside what is signed only"
    DIGEST = "hash"
    KDF = "key derivation"
    AGREEMENT = "key agreement with key derivation"
    KEY_WRAP = "key wrap"
    AGREEMENT_WRAP = "key agreement with key derivation and key wrap"
    HPKE = "hybrid public-key encryption"
    HPKE_WRAP = "hybrid public-key encryption of a key"


class AlgorithmId(IntEnum):
    """COSE algorithm numbers (IANA "COSE Algorithms")."""

    ES256 = -7
    EDDSA = -8
    ESP256 = -9
    SHA_256 = -16
    SHA_384 = -43
    SHA_512 = -44
    ED25519 = -19
    A128KW = -3
    A192KW = -4
    A256KW = -5
    ECDH_ES_HKDF_256 = -25
    ECDH_ES_HKDF_512 = -26
    ECDH_SS_HKDF_256 = -27
    ECDH_SS_HKDF_512 = -28
    ECDH_ES_A128KW = -29
    ECDH_ES_A192KW = -30
    ECDH_ES_A256KW = -31
    ECDH_SS_A128KW = -32
    ECDH_SS_A192KW = -33
    ECDH_SS_A256KW = -34
    ES512 = -36
    ES384 = -35
    HSS_LMS = -46
    ML_DSA_44 = -48
    ML_DSA_65 = -49
    ML_DSA_87 = -50
    ESP384 = -51
    ESP512 = -52
    HKDF_SHA_256 = -10
    HKDF_SHA_512 = -11
    HKDF_AES_128 = -12
    HKDF_AES_256 = -13
    DIRECT = -6
    A128GCM = 1
    A192GCM = 2
    A256GCM = 3
    HMAC_256_64 = 4
    HMAC_256_256 = 5
    HMAC_384_384 = 6
    HMAC_512_512 = 7
    AES_MAC_128_64 = 14
    AES_MAC_256_64 = 15
    AES_MAC_128_128 = 25
    AES_MAC_256_128 = 26
    AES_CCM_16_64_128 = 10
    AES_CCM_16_64_256 = 11
    AES_CCM_64_64_128 = 12
    AES_CCM_64_64_256 = 13
    AES_CCM_16_128_128 = 30
    AES_CCM_16_128_256 = 31
    AES_CCM_64_128_128 = 32
    AES_CCM_64_128_256 = 33
    CHACHA20_POLY1305 = 24
    A256CTR = -65532
    A128CTR = -65534
    SHAKE256 = -45
    # As draft-ietf-cose-hpke-27 assumes them; none is assigned yet.
    HPKE_0 = 35
    HPKE_1 = 37
    HPKE_2 = 39
    HPKE_3 = 41
    HPKE_4 = 42
    HPKE_5 = 43
    HPKE_6 = 44
    HPKE_7 = 45
    HPKE_0_KE = 46
    HPKE_1_KE = 47
    HPKE_2_KE = 48
    HPKE_3_KE = 49
    HPKE_4_KE = 50
    HPKE_5_KE = 51
    HPKE_6_KE = 52
    HPKE_7_KE = 53


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One row of the registry.

    Attributes:
        id: COSE algorithm number.
        name: IANA name.
        kind: where the number may stand.
        key_size: bytes of the symmetric key; 0 where the key has its own structure.
        nonce_size: bytes; 0 where there is none.
        output_size: bytes of tag, MAC, hash or signature; 0 where the key says how many.
        judgement: how long it may be used, and who says so; an owner may say less (`domain.crypto_policy`).
        source: where the number and sizes come from.
    """

    id: AlgorithmId
    name: str
    kind: Kind
    key_size: int
    nonce_size: int
    output_size: int
    judgement: Judgement
    source: str

    @property
    def status(self) -> Status:
        """Whether it is chosen for new uses today."""
        return self.judgement.status

    @property
    def sunset(self) -> date | None:
        """Last day on which it may be chosen or accepted; None while none is set."""
        return self.judgement.sunset


def _row(
    number: AlgorithmId,
    name: str,
    kind: Kind,
    sizes: tuple[int, int, int],
    source: str,
    judgement: Judgement = SYMMETRIC,
) -> Algorithm:
    key_size, nonce_size, output_size = sizes
    return Algorithm(number, name, kind, key_size, nonce_size, output_size, judgement, source)


_EC_SPARE = replace(EC_SIGNATURE, status=Status.ACCEPTABLE)

_HPKE_KE = tuple([number for number in AlgorithmId if number.name.endswith("_KE")])
_HPKE = tuple([number for number in AlgorithmId if number.name.startswith("HPKE") and number not in _HPKE_KE])

REGISTRY: dict[int, Algorithm] = {
    row.id: row
    for row in (
        _row(AlgorithmId.ES256, "ES256", Kind.SIGNATURE, (0, 0, 64), "RFC 9053 §2.1", OPEN_CURVE),
        _row(AlgorithmId.ESP256, "ESP256", Kind.SIGNATURE, (0, 0, 64), "RFC 9864 §2.1", EC_SIGNATURE),
        _row(AlgorithmId.ES384, "ES384", Kind.SIGNATURE, (0, 0, 96), "RFC 9053 §2.1", OPEN_CURVE),
        _row(AlgorithmId.ESP384, "ESP384", Kind.SIGNATURE, (0, 0, 96), "RFC 9864 §2.1", EC_SIGNATURE),
        _row(AlgorithmId.ES512, "ES512", Kind.SIGNATURE, (0, 0, 132), "RFC 9053 §2.1", OPEN_CURVE),
        _row(AlgorithmId.ESP512, "ESP512", Kind.SIGNATURE, (0, 0, 132), "RFC 9864 §2.1", _EC_SPARE),
        _row(AlgorithmId.EDDSA, "EdDSA", Kind.SIGNATURE, (0, 0, 64), "RFC 9053 §2.2", OPEN_CURVE),
        _row(AlgorithmId.ED25519, "Ed25519", Kind.SIGNATURE, (0, 0, 64), "RFC 9864 §2.2", EC_SIGNATURE),
        _row(AlgorithmId.ML_DSA_44, "ML-DSA-44", Kind.SIGNATURE, (0, 0, 2420), "RFC 9964", LATTICE),
        _row(AlgorithmId.ML_DSA_65, "ML-DSA-65", Kind.SIGNATURE, (0, 0, 3309), "RFC 9964", LATTICE),
        _row(AlgorithmId.ML_DSA_87, "ML-DSA-87", Kind.SIGNATURE, (0, 0, 4627), "RFC 9964", LATTICE),
        _row(AlgorithmId.HSS_LMS, "HSS-LMS", Kind.SIGNATURE, (0, 0, 0), "RFC 8778 §6.1", HASH_SIGNATURE),
        _row(AlgorithmId.HMAC_256_64, "HMAC 256/64", Kind.MAC, (32, 0, 8), "RFC 9053 §3.1", SYMMETRIC_SPARE),
        _row(AlgorithmId.HMAC_256_256, "HMAC 256/256", Kind.MAC, (32, 0, 32), "RFC 9053 §3.1"),
        _row(AlgorithmId.HMAC_384_384, "HMAC 384/384", Kind.MAC, (48, 0, 48), "RFC 9053 §3.1", SYMMETRIC_SPARE),
        _row(AlgorithmId.HMAC_512_512, "HMAC 512/512", Kind.MAC, (64, 0, 64), "RFC 9053 §3.1", SYMMETRIC_SPARE),
        *(
            _row(number, name, Kind.MAC, sizes, "RFC 9053 §3.2", SYMMETRIC_SPARE)
            for number, name, sizes in (
                (AlgorithmId.AES_MAC_128_64, "AES-MAC 128/64", (16, 0, 8)),
                (AlgorithmId.AES_MAC_256_64, "AES-MAC 256/64", (32, 0, 8)),
                (AlgorithmId.AES_MAC_128_128, "AES-MAC 128/128", (16, 0, 16)),
                (AlgorithmId.AES_MAC_256_128, "AES-MAC 256/128", (32, 0, 16)),
            )
        ),
        _row(AlgorithmId.A128GCM, "A128GCM", Kind.AEAD, (16, 12, 16), "RFC 9053 §4.1"),
        _row(AlgorithmId.A192GCM, "A192GCM", Kind.AEAD, (24, 12, 16), "RFC 9053 §4.1", SYMMETRIC_SPARE),
        _row(AlgorithmId.A256GCM, "A256GCM", Kind.AEAD, (32, 12, 16), "RFC 9053 §4.1"),
        _row(AlgorithmId.AES_CCM_16_64_128, "AES-CCM-16-64-128", Kind.AEAD, (16, 13, 8), "RFC 9053 §4.2"),
        _row(AlgorithmId.AES_CCM_16_128_128, "AES-CCM-16-128-128", Kind.AEAD, (16, 13, 16), "RFC 9053 §4.2"),
        *(
            _row(number, name, Kind.AEAD, sizes, "RFC 9053 §4.2", SYMMETRIC_SPARE)
            for number, name, sizes in (
                (AlgorithmId.AES_CCM_16_64_256, "AES-CCM-16-64-256", (32, 13, 8)),
                (AlgorithmId.AES_CCM_64_64_128, "AES-CCM-64-64-128", (16, 7, 8)),
                (AlgorithmId.AES_CCM_64_64_256, "AES-CCM-64-64-256", (32, 7, 8)),
                (AlgorithmId.AES_CCM_16_128_256, "AES-CCM-16-128-256", (32, 13, 16)),
                (AlgorithmId.AES_CCM_64_128_128, "AES-CCM-64-128-128", (16, 7, 16)),
                (AlgorithmId.AES_CCM_64_128_256, "AES-CCM-64-128-256", (32, 7, 16)),
            )
        ),
        _row(AlgorithmId.CHACHA20_POLY1305, "ChaCha20/Poly1305", Kind.AEAD, (32, 12, 16), "RFC 9053 §4.3"),
        _row(AlgorithmId.A128CTR, "A128CTR", Kind.STREAM, (16, 12, 0), "RFC 9459 §4; RFC 10021"),
        _row(AlgorithmId.A256CTR, "A256CTR", Kind.STREAM, (32, 12, 0), "RFC 9459 §4; RFC 10021"),
        _row(AlgorithmId.SHA_256, "SHA-256", Kind.DIGEST, (0, 0, 32), "RFC 9054 §3.2"),
        _row(AlgorithmId.SHA_384, "SHA-384", Kind.DIGEST, (0, 0, 48), "RFC 9054 §3.2"),
        _row(AlgorithmId.SHA_512, "SHA-512", Kind.DIGEST, (0, 0, 64), "RFC 9054 §3.2"),
        _row(AlgorithmId.SHAKE256, "SHAKE256", Kind.DIGEST, (0, 0, 64), "RFC 9054 §3.3", SYMMETRIC_SPARE),
        _row(AlgorithmId.DIRECT, "direct", Kind.KDF, (0, 0, 0), "RFC 9053 §6.1.1"),
        _row(AlgorithmId.HKDF_SHA_256, "direct+HKDF-SHA-256", Kind.KDF, (0, 0, 32), "RFC 9053 §6.1.2"),
        _row(AlgorithmId.HKDF_SHA_512, "direct+HKDF-SHA-512", Kind.KDF, (0, 0, 64), "RFC 9053 §6.1.2"),
        _row(
            AlgorithmId.HKDF_AES_128, "direct+HKDF-AES-128", Kind.KDF, (16, 0, 16), "RFC 9053 §6.1.2", SYMMETRIC_SPARE
        ),
        _row(
            AlgorithmId.HKDF_AES_256, "direct+HKDF-AES-256", Kind.KDF, (32, 0, 16), "RFC 9053 §6.1.2", SYMMETRIC_SPARE
        ),
        _row(AlgorithmId.A128KW, "A128KW", Kind.KEY_WRAP, (16, 0, 0), "RFC 9053 §6.2.1"),
        _row(AlgorithmId.A192KW, "A192KW", Kind.KEY_WRAP, (24, 0, 0), "RFC 9053 §6.2.1", SYMMETRIC_SPARE),
        _row(AlgorithmId.A256KW, "A256KW", Kind.KEY_WRAP, (32, 0, 0), "RFC 9053 §6.2.1"),
        _row(
            AlgorithmId.ECDH_ES_HKDF_256,
            "ECDH-ES + HKDF-256",
            Kind.AGREEMENT,
            (0, 0, 32),
            "RFC 9053 §6.3.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_ES_HKDF_512,
            "ECDH-ES + HKDF-512",
            Kind.AGREEMENT,
            (0, 0, 64),
            "RFC 9053 §6.3.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_SS_HKDF_256,
            "ECDH-SS + HKDF-256",
            Kind.AGREEMENT,
            (0, 0, 32),
            "RFC 9053 §6.3.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_SS_HKDF_512,
            "ECDH-SS + HKDF-512",
            Kind.AGREEMENT,
            (0, 0, 64),
            "RFC 9053 §6.3.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_ES_A128KW,
            "ECDH-ES + A128KW",
            Kind.AGREEMENT_WRAP,
            (0, 0, 0),
            "RFC 9053 §6.4.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_ES_A192KW,
            "ECDH-ES + A192KW",
            Kind.AGREEMENT_WRAP,
            (0, 0, 0),
            "RFC 9053 §6.4.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_ES_A256KW,
            "ECDH-ES + A256KW",
            Kind.AGREEMENT_WRAP,
            (0, 0, 0),
            "RFC 9053 §6.4.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_SS_A128KW,
            "ECDH-SS + A128KW",
            Kind.AGREEMENT_WRAP,
            (0, 0, 0),
            "RFC 9053 §6.4.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_SS_A192KW,
            "ECDH-SS + A192KW",
            Kind.AGREEMENT_WRAP,
            (0, 0, 0),
            "RFC 9053 §6.4.1",
            EC_AGREEMENT,
        ),
        _row(
            AlgorithmId.ECDH_SS_A256KW,
            "ECDH-SS + A256KW",
            Kind.AGREEMENT_WRAP,
            (0, 0, 0),
            "RFC 9053 §6.4.1",
            EC_AGREEMENT,
        ),
        *(
            _row(number, number.name.replace("_", "-"), kind, (0, 0, 0), "draft-ietf-cose-hpke-27 §4", EC_AGREEMENT)
            for kind, numbers in ((Kind.HPKE, _HPKE), (Kind.HPKE_WRAP, _HPKE_KE))
            for number in numbers
        ),
    )
}


def algorithm(number: int, kind: Kind) -> Algorithm:
    """Look up a COSE algorithm number that must be of `kind`.

    Raises:
        UnsupportedError: unknown number, or one that belongs to another kind.
    """
    row = REGISTRY.get(number)
    if row is None or row.kind is not kind:
        raise UnsupportedError(f"expected a COSE algorithm for {kind.value}, got {number}", spec="RFC 9052 §8")
    return row


def fitting(number: int, kind: Kind, key: Secret) -> Algorithm:
    """Look up an algorithm that a peer's message names, and that must fit the symmetric key we hold for it.

    Raises:
        UnsupportedError: unknown number, another kind, or a key of another length (RFC 9053 §3.1, §4).
    """
    row = algorithm(number, kind)
    if len(key) != row.key_size:
        raise UnsupportedError(f"expected an algorithm for a key of {len(key)} bytes, got {row.name}", spec="RFC 9053")
    return row
