"""What tokens and scopes promise."""

from tests.sabotage.replacement import Sabotage, accepts, returns

ROWS = (
    Sabotage(
        "R-16",
        "thingstead.agent.envelope:GuardedActuator._count",
        accepts,
        "an actuator changes no more often than is safe",
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
