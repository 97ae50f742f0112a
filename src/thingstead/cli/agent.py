"""``thingstead agent``: things that live in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from thingstead.agent.config import AgentConfig
from thingstead.agent.envelope import Envelope
from thingstead.agent.program import STATUS_SOCKET, reset, run
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.cli.input import address, group, read_file, seconds, whole
from thingstead.cli.remote import THING, ask_at
from thingstead.errors import ConfigError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs

__all__ = ["CLAIM", "COMMAND", "RUN"]

_FIRST_BOOT = "home"
_MAX_CREDENTIAL = 1 << 16


def _run(session: Session) -> int:
    options = session.options
    if len(options["directory"]) > 1 and options["port"]:
        raise ConfigError("expected --port with one thing only; several share no port")
    configs = [
        AgentConfig(
            home=(session.directory / name).absolute(),
            controller_host=options["controller_host"],
            controller_port=options["controller_port"],
            host=options["host"],
            port=options["port"],
            multicast_group=options["multicast_group"],
            multicast_port=options["multicast_port"],
            telemetry_interval=options["telemetry_interval"],
            envelope=Envelope(options["lowest"], options["highest"], options["changes_per_minute"]),
            has_clock=not options["no_clock"],
            wants_fresh=options["fresh_tokens"],
            hybrid_keys=options["hybrid_keys"],
            telemetry_file=session.path("telemetry") if options["telemetry"] else None,
        )
        for name in options["directory"]
    ]
    for config in configs:
        if not (config.home / _FIRST_BOOT).is_dir():
            raise ConfigError(f"no thing lives in {config.home}; `thingstead factory thing` gives birth to one")
    session.console.say(f"{len(configs)} thing{'s live' if len(configs) > 1 else ' lives'} here until Ctrl-C")
    session.console.next("thingstead thing list")
    asyncio.run(_live(configs))
    return 0


def _command(session: Session) -> int:
    options = session.options
    arguments = {key: options[key] for key in ("thing", "host", "port", "value")}
    result = ask_at(session.path("directory") / STATUS_SOCKET, "command", arguments)
    session.console.show(result)
    session.console.next(f"thingstead thing show {options['thing']}")
    return 0


async def _live(configs: Sequence[AgentConfig]) -> None:
    stopped = ending()
    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(run(configs))
        await stopped.wait()
        living.cancel()


RUN = Action(
    (
        Parameter("directory", "a thing's own directory, as the factory made it", many=True),
        Parameter("--controller-host", "IP address of the domain", read=address, default="127.0.0.1"),
        Parameter("--controller-port", "its UDP port", read=whole(1, 65_535), default=5683),
        Parameter("--host", "the thing's own IP address", read=address, default="127.0.0.1"),
        Parameter("--port", "its own UDP port; 0 lets the kernel choose", read=whole(0, 65_535), default=0),
        Parameter("--multicast-group", "IPv4 group on which groups are commanded", read=group, default=""),
        Parameter("--multicast-port", "UDP port of that group", read=whole(1, 65_535), default=5684),
        Parameter("--telemetry", "CSV or .csv.xz to report instead of the host's own figures"),
        Parameter("--telemetry-interval", "seconds between two readings", read=seconds, default=2.0),
        Parameter("--lowest", "safe level of its lamp in per cent, whoever commands it", read=whole(0, 100), default=0),
        Parameter("--highest", "likewise", read=whole(0, 100), default=100),
        Parameter("--changes-per-minute", "how often its lamp may change", read=whole(1, 6000), default=120),
        Parameter(
            "--hybrid-keys",
            "it joins by ECDH and ML-KEM together where the domain takes that (`[crypto] hybrid` in the policy)",
            read=None,
        ),
        Parameter(
            "--no-clock",
            "it does not know the time: rights of others at it end by `exi` (`clock = false` in the policy)",
            read=None,
        ),
        Parameter("--fresh-tokens", "other things fetch their rights anew each time that they meet it", read=None),
    ),
    _run,
    "A thing joins by itself, checks the domain before it says who it is, and goes on where it stopped.",
)

COMMAND = Action(
    (
        Parameter("directory", "directory of a thing that lives on this machine, and is to command"),
        THING,
        Parameter("value", "what the other's lamp shall be", choices=("on", "off")),
        Parameter("--host", "IP address of the other thing", read=address, default="127.0.0.1"),
        Parameter(
            "--port", "its UDP port; 0 asks the domain's directory where it is", read=whole(0, 65_535), default=0
        ),
    ),
    _command,
    "One thing asks another, without the domain if it has a token; the policy's [[peer]] rules say which may.",
)


def _claim(session: Session) -> int:
    directory = session.path("directory")
    if not (directory / _FIRST_BOOT).is_dir():
        raise ConfigError(f"no thing lives in {directory}; `thingstead factory thing` gives birth to one")
    owner = ccs.decode(read_file(session.path("for"), max_bytes=_MAX_CREDENTIAL)).public
    key = reset(directory, owner)
    session.console.show({"reset": str(directory), "key": cose_key.thumbprint(key).hex()})
    session.console.next("thingstead thing admit THING --key the digits above, once it has knocked")
    return 0


CLAIM = Action(
    (
        Parameter("directory", "the thing's own directory, which stands for having it in hand"),
        Parameter("--for", "file with the owner's credential (`thingstead domain credential`)", required=True),
    ),
    _claim,
    "For a thing that was sold without papers: it forgets everything and knocks at its new owner's domain, where it\n"
    "waits until somebody compares its key with the digits that this prints.",
)
