"""``thingstead proxy``: carries CoAP between networks, and what OSCORE protects without reading it."""

from __future__ import annotations

import asyncio

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.cli.input import seconds
from thingstead.clock import SystemClock
from thingstead.protocols.coap.registry import Scheme
from thingstead.proxy.config import Approach, ProxyConfig
from thingstead.proxy.core import Proxy
from thingstead.proxy.explanation import explain
from thingstead.proxy.program import running
from thingstead.storage.settings import load

__all__ = ["CHECK", "RUN"]

_CARRIED_BY = {Scheme.COAP: "UDP", Scheme.COAP_TCP: "TCP"}


def _run(session: Session) -> int:
    config = _load(session)
    asyncio.run(_serve(session, config))
    return 0


async def _serve(session: Session, config: ProxyConfig) -> None:
    stopped = ending()
    async with running(config) as proxy:
        # Several results, hence one line each for a program.
        show = session.console.line if session.console.as_json else session.console.show
        show(_told(config))
        told = _counted(proxy)
        while not stopped.is_set():
            try:
                async with asyncio.timeout(session.options["every"]):
                    await stopped.wait()
            except TimeoutError:
                if (counted := _counted(proxy)) != told:
                    show(told := counted)
        show(_counted(proxy))


def _check(session: Session) -> int:
    config = _load(session)
    uri = session.options["uri"]
    if not uri:
        session.console.show(_told(config))
        return 0
    found = explain(config, uri, SystemClock().utc().date())
    origin = found.origin
    session.console.show(
        {
            "uri": uri,
            "goes to": f"{origin.address} port {origin.port} over {_CARRIED_BY[origin.scheme]}",
            "what passes": found.condition,
            "asked by": f"coap-client -P {_at(config)} {uri}",
        }
    )
    return 0


def _load(session: Session) -> ProxyConfig:
    config = load(session.path("file"), ProxyConfig)
    if not config.origin:
        session.console.say("there is no [[origin]]: every request will be refused")
    for origin in config.origin:
        if origin.approach is Approach.SHARED_CREDENTIALS:
            session.console.say(
                f"{origin.name}: this proxy can read and change everything, until {origin.exception_until}: "
                f"{origin.exception_reason}"
            )
    return config


def _told(config: ProxyConfig) -> dict[str, object]:
    return {
        "proxy": _at(config) + (", and the same over TCP" if config.listen.tcp else ""),
        "clients": ", ".join(config.clients.networks),
        "origins": {
            f"{origin.name}:{origin.port}": (
                f"{origin.address} over {_CARRIED_BY[origin.scheme]}, {origin.approach.value}"
            )
            for origin in config.origin
        },
    }


def _at(config: ProxyConfig) -> str:
    listen = config.listen
    return f"coap://[{listen.host}]:{listen.port}" if ":" in listen.host else f"coap://{listen.host}:{listen.port}"


def _counted(proxy: Proxy) -> dict[str, object]:
    return {
        "relayed": proxy.relayed,
        "from_cache": proxy.answered_from_cache,
        "joined": proxy.joined,
        "refused": dict(sorted(proxy.counters.items())),
        "held": proxy.held,
    }


_FILE = Parameter("file", "settings of the proxy, TOML")
_URI = Parameter("uri", "of a resource that a client would ask the proxy for", default="")
_EVERY = Parameter(
    "--every",
    "seconds between two reports of what was carried and refused, if anything was",
    read=seconds,
    default=60.0,
)

RUN = Action(
    (_FILE, _EVERY),
    _run,
    "A forward proxy for clients that name it (Proxy-Uri, Proxy-Scheme) and a reverse proxy for those that do not.\n"
    "It goes to the origins of its settings and nowhere else, and serves the networks named there alone.\n"
    "Its reports count refusals by reason, and what clients make it hold.",
)
CHECK = Action(
    (_FILE, _URI),
    _check,
    "Says where the proxy would go, for whom, and what each flow relies on; of a URI, whether it would go there, and\n"
    "if not, what would have to be in the settings.",
)
