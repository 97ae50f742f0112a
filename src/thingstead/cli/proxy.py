"""``thingstead proxy``: carries CoAP between networks, and what OSCORE protects without reading it."""

from __future__ import annotations

import asyncio

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.proxy.config import Approach, ProxyConfig
from thingstead.proxy.program import running
from thingstead.storage.settings import load

__all__ = ["CHECK", "RUN"]


def _run(session: Session) -> int:
    config = _load(session)
    asyncio.run(_serve(session, config))
    return 0


async def _serve(session: Session, config: ProxyConfig) -> None:
    stopped = ending()
    async with running(config) as proxy:
        # Two results, hence one line each for a program.
        show = session.console.line if session.console.as_json else session.console.show
        show(_told(config))
        await stopped.wait()
        show({"relayed": proxy.relayed, "from_cache": proxy.answered_from_cache, "refused": dict(proxy.counters)})


def _check(session: Session) -> int:
    session.console.show(_told(_load(session)))
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
    listen = config.listen
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return {
        "proxy": f"coap://{host}:{listen.port}",
        "clients": ", ".join(config.clients.networks),
        "origins": {
            f"{origin.name}:{origin.port}": f"{origin.address}, {origin.approach.value}" for origin in config.origin
        },
    }


_FILE = Parameter("file", "settings of the proxy, TOML")

RUN = Action(
    (_FILE,),
    _run,
    "A forward proxy for clients that name it (Proxy-Uri, Proxy-Scheme) and a reverse proxy for those that do not.\n"
    "It goes to the origins of its settings and nowhere else, and serves the networks named there alone.",
)
CHECK = Action((_FILE,), _check, "Says where the proxy would go, for whom, and what each flow relies on.")
