"""Area cose-receipts: receipts of inclusion as RFC 9942's authors published them, each a binary file.

Neither the entry nor the key was published with them, so a signature cannot be checked here: a receipt
passes if it reads, its path is that of its place in its tree, and its proof is encoded as we encode it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.protocols.cbor import codec
from thingstead.protocols.receipts.merkle import HASH_SIZE, root_of_inclusion
from thingstead.protocols.receipts.receipt import decode

__all__ = ["run"]


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome."""
    proof = decode(file.read_bytes()).proof
    root_of_inclusion(bytes(HASH_SIZE), index=proof.index, size=proof.size, path=proof.path)
    encoded = codec.encode([proof.size, proof.index, list(proof.path)])
    if encoded in file.read_bytes():
        yield passed(file.name)
    else:
        yield failed(file.name, f"the proof encodes as {encoded.hex()}")
