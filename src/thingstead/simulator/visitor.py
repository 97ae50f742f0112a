"""Two visitors of each thing of a demo, libcoap's and aiocoap's clients, each with an OSCORE context of its own.

They are no part of the domain, which knows nothing of them: they may read one lamp, while its thing is in a domain,
so that whoever has such a client at hand can try it. A thing that is not simulated has nothing of the kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from thingstead.agent.config import AgentConfig
from thingstead.agent.core import Agent
from thingstead.agent.program import run
from thingstead.agent.story import Story
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import AssociationId, RequestReceived, SequenceNeeded
from thingstead.errors import StorageError
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.profile import path
from thingstead.secret import Secret
from thingstead.storage import oscore_form
from thingstead.storage.directory import private_directory, write_whole
from thingstead.storage.oscore_context import ContextFile, OscoreParameters, Sequences
from thingstead.storage.oscore_form import AiocoapContext

__all__ = ["VisitedAgent", "commands", "live", "prepare"]

_FOLDER = "visitors"
_LIBCOAP, _AIOCOAP = "libcoap", "aiocoap"
_VISITORS = {_LIBCOAP: b"vl", _AIOCOAP: b"va"}
_THING = b"thing"
_SCOPE = Scope({path.LIGHT: Permission.GET})
_SECRET_SIZE = 16


def prepare(home: Path) -> None:
    """Make both contexts of a thing, once: its half of each, and the visitors' in their own forms."""
    folder = home / _FOLDER
    if folder.exists():
        return
    private_directory(folder)
    for name, visitor in _VISITORS.items():
        parameters = OscoreParameters(Secret(secrets.token_bytes(_SECRET_SIZE)), _THING, visitor)
        ContextFile.create(folder / f"{name}.oscore", parameters, Sequences(0, is_new=True)).close()
        _hand_over(folder, name, parameters.mirrored())


def commands(home: Path, uri: str, *, within: str = "") -> dict[str, str]:
    """What is to be typed, by client.

    Args:
        home: the thing's state directory, prepared.
        uri: where it is reached, without a path.
        within: what goes before a command that is to run in another place.
    """
    conf, folder = home / _FOLDER / "libcoap.conf", home / _FOLDER / _AIOCOAP
    lamp = f"{uri}{path.LIGHT}"
    return {
        _LIBCOAP: f"{within}coap-client -E {conf},{conf}.seq -m get {lamp}",
        _AIOCOAP: f"{within}aiocoap-client --credentials {folder / 'credentials.json'} {lamp}",
    }


class VisitedAgent(Agent):
    """An agent that lets its visitors read its lamp."""

    def __init__(self, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self._visitors: dict[str, ContextFile] = {}

    def start(self, now: float) -> None:
        """Take the visitors' contexts up first."""
        for file in sorted((self.config.home / _FOLDER).glob("*.oscore")):
            name = AssociationId(file.stem)
            self._visitors[name] = ContextFile.open(file)
            self.endpoint.install(Association(name, self._visitors[name].context(), peer=name))
        super().start(now)

    def close(self) -> None:
        """Let the next life have the visitors' contexts."""
        super().close()
        while self._visitors:
            _, file = self._visitors.popitem()
            with contextlib.suppress(StorageError):
                # Numbers that were reserved stay spent.
                file.close()

    def _grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        if event.association in self._visitors:
            return None if self.member is None else (event.association, _SCOPE)
        return super()._grant(event)

    def _reserve(self, needed: SequenceNeeded) -> Story:
        file = self._visitors.get(needed.association)
        if file is None:
            yield from super()._reserve(needed)
            return
        file.reserve(needed.upto)
        self.endpoint.sequence_reserved(needed.association, needed.upto)


def live(make: type[Agent], arguments: Mapping[str, object]) -> None:
    """Let one thing of a demo live until it is ended.

    Args:
        make: what it is.
        arguments: fields of `AgentConfig`, as JSON has them.
    """
    telemetry = arguments.get("telemetry")
    files = {"home": Path(str(arguments["home"])), "telemetry_file": Path(str(telemetry)) if telemetry else None}
    plain = {key: value for key, value in arguments.items() if key not in {"home", "telemetry"}}
    asyncio.run(run([AgentConfig(**plain, **files)], make=make))  # type: ignore[arg-type]  # the demo's own JSON


def _hand_over(folder: Path, name: str, parameters: OscoreParameters) -> None:
    if name == _LIBCOAP:
        write_whole(folder / "libcoap.conf", oscore_form.render_libcoap(parameters))
        write_whole(folder / "libcoap.conf.seq", b"0\n")
        return
    theirs = private_directory(folder / name)
    files = oscore_form.render_aiocoap(AiocoapContext(parameters, 0, is_new=True))
    for file, content in (files | {"credentials.json": oscore_form.render_credentials(str(theirs))}).items():
        write_whole(theirs / file, content)


if __name__ == "__main__":
    live(VisitedAgent, json.loads(sys.argv[1]))
