"""What a thing's life promises, from its join to its end."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns


def _one_anchor(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, anchors: original(self, dict(islice(anchors.items(), 1)))


def _asks_the_system(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, hosts, **settings: original(self, hosts, **(settings | {"offline": False}))


def _believes(original: Callable[..., Any]) -> Callable[..., Any]:
    names = original.__globals__
    return lambda data, **_about: names["_parties"](names["sign1"].decode(data))[2:]


def _as_made(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda thing: (thing.maker, thing.model, frozenset())


def _for_ever(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda how, trail, _since, returns: original(how, trail, float("-inf"), returns)


def _in_silence(_original: Callable[..., Any]) -> Callable[..., Any]:
    async def does_nothing(*_args: Any) -> None:
        pass

    return does_nothing


def _nobody_asked(_original: Callable[..., Any]) -> Callable[..., Any]:
    async def vouched(_newcomer: Any, decision: Any, _vouch: Any) -> Any:
        return decision, b""

    return vouched


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_A = "thingstead.agent."
_B = "thingstead.protocols.profile.custody:"
_C = "thingstead.controller."
_P = "thingstead.planes."
ROWS = (
    Sabotage("R-05", _P + "identity.registrar:Registrar.__init__", _one_anchor, "each maker has its own anchor"),
    Sabotage("R-08", "thingstead.domain.policy:Rejoin.covers", returns(False), "listed software takes a join anew"),
    Sabotage("R-08", _C + "standing:changed", returns(""), "another key takes a person and a join anew"),
    Sabotage("R-09", _A + "wiping:erase", accepts, "a thing that leaves keeps nothing of the domain"),
    Sabotage(
        "R-10", _P + "identity.ownership:Ownership.objection", returns(""), "who had an owner before shows papers"
    ),
    Sabotage("R-10", _P + "identity.handover:_require_decision", accepts, "the seller's ledger says so too"),
    Sabotage("R-10", _A + "joining:Joining._require_owner", accepts, "a thing joins its owner and nobody else"),
    Sabotage("R-09", "thingstead.phases.unwelcome:Unwelcome.note", accepts, "who left has its share and no more"),
    Sabotage(
        "R-10",
        "thingstead.phases.decommission:Decommission.kept",
        returns(None),
        "what it gave outlives an end of ours",
    ),
    Sabotage("R-10", _P + "identity.handover:_require_nothing_to_forget", accepts, "who was in a domain left it"),
    Sabotage("R-10", "thingstead.storage.sqlite:_erases", returns(False), "what is erased is erased in the log too"),
    Sabotage("R-11", _B + "_link", _believes, "each owner's link is under its own key, and follows the one before"),
    Sabotage("R-11", _P + "identity.ownership:Ownership.release_keys", returns(()), "a re-badger has its own updates"),
    Sabotage("R-11", _A + "ownership:Ownership.begin", accepts, "a maker's server names the first owner, for good"),
    Sabotage("R-27", _A + "joining:Joining._heed", accepts, "a thing that asks its maker waits for the answer"),
    Sabotage("R-59", _C + "vouching:vouched", _nobody_asked, "a maker is asked before its thing is let in"),
    Sabotage("R-59", "thingstead.protocols.profile.join:require_name", accepts, "each thing asks in its own name"),
    Sabotage("R-78", _A + "ownership:Ownership._support_end", returns(_LONG_AGO), "a maker's updates are its own"),
    Sabotage("R-78", _P + "software.source:sort_of", _as_made, "the domain goes by who mends a thing now"),
    Sabotage("R-12", "thingstead.analysis.neglect:neglected", returns(()), "silent and unsupported things are found"),
    Sabotage("R-12", "thingstead.analysis.neglect:strangers", returns(()), "who is on the link unasked is found"),
    Sabotage("R-13", _P + "software.shelf:Shelf.poll", returns(None), "a release waits for who sleeps"),
    Sabotage("R-13", _P + "groups.roster:Roster.behind", returns(()), "keys are handed over until they are confirmed"),
    Sabotage("R-14", _P + "data.gate:Gate._require_fresh", accepts, "what is old does not pass for new"),
    Sabotage("R-14", "thingstead.domain.purpose:Purpose.__post_init__", accepts, "what nothing gives is not promised"),
    Sabotage("R-21", "thingstead.analysis.clone:_judge", returns(None), "an identity that lives twice is found"),
    Sabotage(
        "R-21", "thingstead.analysis.clone:_judge", _for_ever, "a thing that is carried about is not taken for two"
    ),
    Sabotage("R-21", _C + "server:DomainServer.receives_at", returns(True), "what is carried away is not there"),
    Sabotage("R-21", _C + "clone_watch:CloneWatch._act", _in_silence, "both of an identity are cut off, with an alarm"),
    Sabotage("R-26", _A + "membership:Membership.reserve", accepts, "numbers that were used stay used over a crash"),
    Sabotage(
        "R-60",
        _P + "access.authorization_server:AuthorizationServer.allocate_recipient_id",
        returns(b"\x01"),
        "things behind one proxy are told apart",
    ),
    Sabotage("R-62", _C + "second_place:is_revoked", returns(False), "a second place knows what was revoked"),
    Sabotage("R-62", _C + "restoration:why_held", returns(""), "without the second place each thing waits"),
    Sabotage("R-79", "thingstead.transport.resolver:HostsResolver.__init__", _asks_the_system, "nobody is asked names"),
)
