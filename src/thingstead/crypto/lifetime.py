"""Every algorithm that the product meets, by name, and what is thought of it: those with a COSE number, and the others.

The others have no number of COSE: key agreement by its curve, key encapsulation, and what certificates and TLS name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.judgement import BROKEN, EC_AGREEMENT, EC_SIGNATURE, LATTICE, RSA, STRANGE, Judgement
from thingstead.crypto.key import KeyType
from thingstead.errors import UnsupportedError

__all__ = ["AGREEMENTS", "JUDGEMENTS", "NOT_JUDGED", "SIGNATURES", "judgement", "name_of"]

AGREEMENTS: Mapping[KeyType, str] = MappingProxyType(
    {
        KeyType.P256: "ECDH P-256",
        KeyType.P384: "ECDH P-384",
        KeyType.P521: "ECDH P-521",
        KeyType.X25519: "X25519",
        KeyType.X448: "X448",
        KeyType.ML_KEM_1024: "ML-KEM-1024",
    }
)
"""What two keys of a type agree by."""

SIGNATURES: Mapping[KeyType, str] = MappingProxyType(
    {
        KeyType.P256: REGISTRY[AlgorithmId.ESP256].name,
        KeyType.P384: REGISTRY[AlgorithmId.ESP384].name,
        KeyType.P521: REGISTRY[AlgorithmId.ESP512].name,
        KeyType.ED25519: REGISTRY[AlgorithmId.ED25519].name,
        KeyType.HSS_LMS: REGISTRY[AlgorithmId.HSS_LMS].name,
        KeyType.ML_DSA_44: REGISTRY[AlgorithmId.ML_DSA_44].name,
        KeyType.ML_DSA_65: REGISTRY[AlgorithmId.ML_DSA_65].name,
        KeyType.ML_DSA_87: REGISTRY[AlgorithmId.ML_DSA_87].name,
    }
)
"""What a key of a type signs by."""

NOT_JUDGED = "not judged"
"""What stands for an algorithm that somebody else chose, and of which nothing is known here."""

_UNNUMBERED: dict[str, Judgement] = {
    "ECDH P-256": EC_AGREEMENT,
    "ECDH P-384": EC_AGREEMENT,
    "ECDH P-521": EC_AGREEMENT,
    "X25519": EC_AGREEMENT,
    "X448": EC_AGREEMENT,
    "ML-KEM-768": LATTICE,
    "ML-KEM-1024": LATTICE,
    "X25519MLKEM768": LATTICE,
    "P256MLKEM1024": LATTICE,
    "ecdsa-with-SHA256": EC_SIGNATURE,
    "ecdsa-with-SHA384": EC_SIGNATURE,
    "ecdsa-with-SHA512": EC_SIGNATURE,
    "sha256WithRSAEncryption": RSA,
    "sha384WithRSAEncryption": RSA,
    "sha512WithRSAEncryption": RSA,
    "sha1WithRSAEncryption": BROKEN,
    "md5WithRSAEncryption": BROKEN,
    NOT_JUDGED: STRANGE,
}

JUDGEMENTS: Mapping[str, Judgement] = MappingProxyType(
    {row.name: row.judgement for row in REGISTRY.values()} | _UNNUMBERED
)
"""By name, as inventories, policies and people call it."""


def judgement(name: str) -> Judgement:
    """What is thought of an algorithm.

    Raises:
        UnsupportedError: none of that name.
    """
    found = JUDGEMENTS.get(name)
    if found is None:
        raise UnsupportedError(f"expected an algorithm such as ESP256 or ECDH P-256, got {name[:60]!r}")
    return found


def name_of(number: int) -> str:
    """The name of a COSE algorithm number.

    Raises:
        UnsupportedError: none of that number.
    """
    row = REGISTRY.get(number)
    if row is None:
        raise UnsupportedError(f"expected the number of a COSE algorithm, got {number}", spec="RFC 9052 §8")
    return row.name
