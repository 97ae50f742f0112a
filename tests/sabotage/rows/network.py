"""What stands between a thing and the rest of the network."""

from __future__ import annotations

from tests.sabotage.replacement import Sabotage, returns, skips
from thingstead.errors import AuthenticationError

__all__ = ["ROWS"]

ROWS = (
    Sabotage(
        "R-80", "thingstead.crypto.certificate:verify_chain", returns(()), "a file's signer is one of its maker's"
    ),
    Sabotage(
        "R-80",
        "thingstead.crypto.certificate:Certificate.verify",
        skips(AuthenticationError),
        "a signature is one over the file",
    ),
    Sabotage(
        "R-80", "thingstead.protocols.mud.rule:_is_reply", returns(True), "both directions of a file become rules"
    ),
    Sabotage(
        "R-80",
        "thingstead.planes.network.name_table:NameTable.lifetime",
        returns(None),
        "an address out of the DNS stands for its lifetime only",
    ),
)
