"""Claims and tokens to alter."""

from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.eat import evidence
from thingstead.secret import Secret

KEY, OTHER = (private_key(KeyType.P256, Secret(bytes(31) + bytes((number,)))) for number in (1, 2))
NONCE = bytes(range(16))
PROFILE = "tag:acme.example,2026:lamp"
ACCEPT = frozenset({int(AlgorithmId.ESP256)})
CLAIMS: dict[int, Any] = {10: NONCE, 256: bytes(33), 265: PROFILE}


def signed(values=CLAIMS, key=KEY):
    return evidence.sign(values, key, signature_id=AlgorithmId.ESP256)
