"""What stands between a thing and the rest of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns, skips
from thingstead.errors import AuthenticationError

__all__ = ["ROWS"]


def _known_by_address(original: Callable[..., Any]) -> Callable[..., Any]:
    def render(*args: Any, **kwargs: Any) -> str:
        text: str = original(*args, **kwargs)
        for family, ip in (("4", "ip"), ("6", "ip6")):
            text = text.replace(f"{ip} saddr . ether saddr @thing{family}", f"{ip} saddr @known{family}")
        return text

    return render


def _believing_claims(original: Callable[..., Any]) -> Callable[..., Any]:
    def render(*args: Any, **kwargs: Any) -> str:
        text: str = original(*args, **kwargs)
        return "\n".join(line for line in text.splitlines() if "goto drop_spoofed" not in line) + "\n"

    return render


def _unplaced(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _self, change, _before: change


ROWS = (
    Sabotage(
        "R-34",
        "thingstead.enforcement.holdings:Holdings.at_addresses_of",
        returns(()),
        "an address has one thing",
    ),
    Sabotage(
        "R-34",
        "thingstead.enforcement.ruleset:render_table",
        _known_by_address,
        "an address is used from its own interface only",
    ),
    Sabotage(
        "R-34",
        "thingstead.enforcement.bridge_ruleset:render_bridge_table",
        _believing_claims,
        "nobody claims an address of somebody else on the segment",
    ),
    Sabotage(
        "R-34",
        "thingstead.enforcement.nftables:Nftables._placed",
        _unplaced,
        "an interface is used behind the port where it was found",
    ),
    Sabotage(
        "R-70",
        "thingstead.planes.network.rule_book:_stays_inside",
        returns(True),
        "who verifies nothing is kept from the Internet",
    ),
    Sabotage(
        "R-80",
        "thingstead.planes.network.mud_library:_require_successor",
        accepts,
        "a file in force is followed by no unsigned and by no older one",
    ),
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
        "thingstead.enforcement.layout:narrows",
        returns(False),
        "what is open ends with the right to it",
    ),
    Sabotage(
        "R-80",
        "thingstead.planes.network.name_table:NameTable.lifetime",
        returns(None),
        "an address out of the DNS stands for its lifetime only",
    ),
)
