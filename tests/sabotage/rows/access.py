"""What tokens and scopes promise."""

from tests.sabotage.replacement import Sabotage, accepts, argument, returns

ROWS = (
    Sabotage(
        "R-16",
        "thingstead.agent.envelope:GuardedActuator._count",
        accepts,
        "an actuator changes no more often than is safe",
    ),
    Sabotage(
        "R-16",
        "thingstead.protocols.ace.aif:Bounds.tighten",
        argument(1),
        "an actuator is held to what a token bounds, not only to what is safe",
    ),
    Sabotage(
        "R-35",
        "thingstead.agent.authz_info:_check_series",
        accepts,
        "a session takes other rights by a token of its own series alone",
    ),
    Sabotage(
        "R-35",
        "thingstead.agent.token_judge:TokenJudge._check_freshness",
        accepts,
        "who wants fresh tokens takes none that was kept back",
    ),
    Sabotage(
        "R-36",
        "thingstead.agent.session_table:SessionTable._forget_unproven",
        accepts,
        "contexts that nobody has shown to know are bounded",
    ),
    Sabotage(
        "R-57",
        "thingstead.agent.exi_book:_load",
        returns(0),
        "rights at a thing without a clock do not come back to life with it",
    ),
    Sabotage(
        "R-57",
        "thingstead.endpoint.endpoint:Endpoint.dismiss",
        accepts,
        "an observation ends with the right to it, and says so",
    ),
    Sabotage("R-35", "thingstead.protocols.ace.aif:Scope.allows", accepts, "a request stays in its scope"),
    Sabotage(
        "R-35",
        "thingstead.agent.revocation:Revocations.__contains__",
        returns(False),
        "a revoked token is not taken",
    ),
    Sabotage(
        "R-57",
        "thingstead.agent.peer_server:PeerServer.end",
        accepts,
        "a session ends when its token is revoked",
    ),
    Sabotage(
        "R-57",
        "thingstead.domain.peer_policy:PeerRule.names",
        returns(True),
        "only things that a rule names may talk to each other",
    ),
)
