"""HSS/LMS signatures: making them, by pyhsslms alone, from a tree of one level (RFC 8554).

Nothing in here remembers which leaves have signed: `thingstead.storage.hss_key` does, on disk, before they sign.
"""

from __future__ import annotations

from pyhsslms.pyhsslms import LmsPrivateKey

from thingstead.crypto.key import KeyType, PublicKey
from thingstead.secret import Secret

__all__ = ["IDENTIFIER_SIZE", "SEED_SIZE", "HssTree"]

SEED_SIZE, IDENTIFIER_SIZE = 32, 16
# LMS_SHA256_M32_H5 to H15 and LMOTS_SHA256_N32_W4 (RFC 8554 §4.1, §5.1): 64 ms, 2 s and 65 s to grow.
_TREES = {5: 5, 10: 6, 15: 7}
_SHA256_N32_W4 = 3
_ONE_LEVEL, _NO_LEVEL_ABOVE = (1).to_bytes(4, "big"), bytes(4)


class HssTree:
    """The private key: a secret seed and an identifier, from which all one-time keys come (RFC 8554 appendix A)."""

    __slots__ = ("_tree", "leaves", "public")

    def __init__(self, seed: Secret, identifier: bytes, *, height: int) -> None:
        """Grow the tree.

        Args:
            seed: 32 random bytes.
            identifier: 16 random bytes.
            height: 5, 10 or 15: it has 32, 1,024 or 32,768 leaves.

        Raises:
            ValueError: sizes or a height that are none of these.
        """
        if len(seed) != SEED_SIZE or len(identifier) != IDENTIFIER_SIZE or height not in _TREES:
            raise ValueError("expected a seed of 32 bytes, an identifier of 16, and a height of 5, 10 or 15")
        self.leaves = 1 << height
        self._tree = LmsPrivateKey(
            lms_type=_TREES[height].to_bytes(4, "big"),
            lmots_type=_SHA256_N32_W4.to_bytes(4, "big"),
            SEED=seed.reveal(),
            I=identifier,
        )
        self.public = PublicKey(KeyType.HSS_LMS, _ONE_LEVEL + self._tree.publicKey().serialize())

    def sign(self, leaf: int, data: bytes) -> bytes:
        """Sign with one leaf, that nothing was ever signed with: two signatures of a leaf give anybody its key.

        Raises:
            ValueError: no such leaf.
        """
        if not 0 <= leaf < self.leaves:
            raise ValueError(f"expected a leaf below {self.leaves}")
        self._tree.q = leaf
        signature: bytes = self._tree.sign(data)
        return _NO_LEVEL_ABOVE + signature
