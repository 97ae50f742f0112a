"""``thingstead maintenance``: orders to things through their domain, or before a thing that is left to itself."""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Any

from thingstead.agent.caller import Caller
from thingstead.agent.story import Story
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import address, read_file, seconds, whole
from thingstead.cli.remote import AS, DOMAIN, OPERATOR_KEY, THING, ask, remote
from thingstead.clock import SystemClock
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError, ThingsteadError
from thingstead.protocols.profile.maintenance import Task
from thingstead.protocols.profile.permit import PermitFile
from thingstead.storage.directory import write_whole
from thingstead.transport.udp import Pump, open_socket

__all__ = ["BEGIN", "BESIDE", "CONFIGURE", "DIAGNOSE", "END", "PERMIT", "RESTART", "SHOW", "UPDATE", "WITHDRAW"]

_MAX_FILE = 1 << 20
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104  a client's socket, on a port of the kernel's
_INTERVAL = Parameter("--telemetry-interval", "seconds between two readings", read=seconds)


def _permit(session: Session) -> int:
    options = session.options
    tasks = {"tasks": options["tasks"].split(",")} if options["tasks"] else {}
    asked = {"name": options["name"], "things": list(options["thing"]), "hours": options["hours"], **tasks}
    told = ask(session, "maintenance.permit", asked)
    target = session.path("output") if options["output"] else session.directory / f"{options['name']}.permit"
    write_whole(target, base64.urlsafe_b64decode(told.pop("permit")))
    session.console.show({**told, "written": str(target)})
    session.console.next(f"thingstead maintenance beside diagnose --permit {target.name} --as DIRECTORY-OF-THE-KEY")
    return 0


def _beside(session: Session) -> int:
    options = session.options
    permits = PermitFile.decode(read_file(session.path("permit"), max_bytes=_MAX_FILE))
    thing = options["thing"] or permits.permits[0].thing
    if not options["thing"] and len(permits.permits) > 1:
        raise ConfigError(f"the file has permits for {', '.join(one.thing for one in permits.permits)}: name one")
    if options["as"] is None:
        raise ConfigError("an order is signed: give the directory of your key (--as)")
    key = FileKeyStore(session.path("as")).handle(OPERATOR_KEY)
    interval = options["telemetry_interval"]
    arguments = {} if interval is None else {"telemetry_interval": interval}
    caller = Caller(permits, key, clock=SystemClock(), random_bytes=secrets.token_bytes)
    place = (options["host"], options["port"])
    number, result = asyncio.run(_order(caller, caller.order(Task(options["task"]), thing, place, arguments), place[0]))
    session.console.show({"thing": thing, "order": number, **result})
    session.console.next(f"thingstead maintenance show {thing}, once its domain is back")
    return 0


async def _order(caller: Caller, story: Story, host: str) -> tuple[int, dict[str, Any]]:
    """Let a story run on a socket of its own."""
    done: asyncio.Future[tuple[int, dict[str, Any]]] = asyncio.get_running_loop().create_future()

    def whole_story() -> Story:
        try:
            done.set_result((yield from story))
        except ThingsteadError as error:
            done.set_exception(error)

    clock = SystemClock()
    pump = Pump(caller, [open_socket(_ANY[6 if ":" in host else 4], 0)], clock=clock)
    try:
        caller.stories.start("order", whole_story(), clock.now())
        pump.flush()
        return await done
    finally:
        pump.close()


_NEXT = "thingstead maintenance end {thing}"
BEGIN = remote(
    "maintenance.begin",
    THING,
    then="thingstead maintenance diagnose {thing}",
    description="From then on it takes orders to restart, update and configure, until `maintenance end`, or until it\n"
    "joins anew. Takes a maintainer: a line of the domain's file `operators`, with --as where it names a key.",
)
DIAGNOSE = remote("maintenance.diagnose", THING, then="thingstead maintenance begin {thing}")
RESTART = remote("maintenance.restart", THING, then=_NEXT)
UPDATE = remote("maintenance.update", THING, then="thingstead release list")
CONFIGURE = remote(
    "maintenance.configure",
    THING,
    Parameter("--telemetry-interval", "seconds between two readings", read=seconds, required=True),
    then=_NEXT,
)
END = remote("maintenance.end", THING, then="thingstead maintenance show {thing}")
SHOW = remote(
    "maintenance.show",
    THING,
    then="thingstead ledger show --thing {thing}",
    description="What the thing has told of orders that it took, which of them are missing, and who holds a permit.",
)
WITHDRAW = remote(
    "maintenance.withdraw",
    Parameter("name", "whose"),
    then="thingstead token list",
    description="A thing that can be reached takes them no more from then on; one that cannot, not after they end.",
)
PERMIT = Action(
    (
        Parameter("name", "a maintainer with a key, as the file `operators` has them"),
        Parameter("thing", "ids of things", many=True),
        Parameter("--tasks", "with commas between: begin, diagnose, restart, update, configure, end; all if not given"),
        Parameter("--hours", "after which it ends, up to 720", read=seconds, default=24.0),
        Parameter("--output", "file to write; else NAME.permit"),
        DOMAIN,
        AS,
    ),
    _permit,
    "For work at a thing that its domain cannot reach. The file is good with the maintainer's key and with no other;\n"
    "what is done by it comes to the ledger with the thing's journal, signed by who did it.",
)
BESIDE = Action(
    (
        Parameter("task", "what", choices=tuple(Task)),
        Parameter("--permit", "file that `thingstead maintenance permit` wrote", required=True),
        Parameter("--thing", "its id, where the file has several"),
        Parameter("--host", "IP address of the thing", read=address, default="127.0.0.1"),
        Parameter("--port", "its UDP port", read=whole(1, 65_535), default=5683),
        _INTERVAL,
        Parameter("--as", "directory of the key that the permit is for (`thingstead operator key`)"),
    ),
    _beside,
    "Speaks to the thing itself (EDHOC, OSCORE), from wherever it can be reached; the domain need not be there. The\n"
    "thing must prove the key that it joined its domain with.",
)
