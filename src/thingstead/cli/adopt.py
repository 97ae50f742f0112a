"""``thingstead adopt``: take in a device that speaks none of our protocols, with a MUD file for it."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.capture import mac
from thingstead.cli.input import address, read_file
from thingstead.cli.remote import AS, DOMAIN, ask
from thingstead.errors import ConfigError
from thingstead.protocols.mud import parser

__all__ = ["ADOPT"]


def _adopt(session: Session) -> int:
    data = read_file(session.path("mud"), max_bytes=parser.DEFAULT_LIMITS.max_bytes)
    parser.parse(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ConfigError("expected a MUD file in UTF-8") from None
    told = ask(
        session,
        "device.adopt",
        {
            "mac": session.options["mac"].hex(":"),
            "ip": session.options["ip"],
            "model": session.options["model"],
            "zone": session.options["zone"] or "",
            "file": text,
        },
    )
    session.console.show(told)
    session.console.next("thingstead thing show", told["thing"])
    return 0


ADOPT = Action(
    (
        Parameter("mac", "its MAC address, as `thingstead watch` tells it", read=mac),
        Parameter("--ip", "its address; a fixed one, or a lease that stays", read=address, required=True),
        Parameter("--model", "what you call its type", required=True),
        Parameter("--mud", "MUD file that `thingstead watch --output` proposed, looked at and changed", required=True),
        Parameter("--zone", "where it is"),
        DOMAIN,
        AS,
    ),
    _adopt,
    "It proves nothing: who sends from its address passes for it. It gets no token, key or group, and may do on the\n"
    "network what the file says; the rest is dropped, counted and told. Once more with another file changes that.",
)
