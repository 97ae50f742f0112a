"""All things under a folder in one process, each on a loopback address of its own: they join, and then keep quiet.

``python -m bench.server.things PORT FOLDER``
"""

from __future__ import annotations

import asyncio
import resource
import sys
from ipaddress import ip_address
from pathlib import Path

from thingstead.agent.config import AgentConfig
from thingstead.agent.program import run

_FIRST = int(ip_address("127.1.0.1"))
_SILENCE_SECONDS = 86_400.0


def main(port: int, folder: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    configs = [
        AgentConfig(
            home=home,
            controller_port=port,
            host=str(ip_address(_FIRST + number)),
            telemetry_interval=_SILENCE_SECONDS,
            update_interval=_SILENCE_SECONDS,
        )
        for number, home in enumerate(sorted(folder.iterdir()))
    ]
    asyncio.run(run(configs))


main(int(sys.argv[1]), Path(sys.argv[2]))
