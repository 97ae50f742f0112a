"""A device at the domain's door for hawkBit's API: real tracker, real actions, and no connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.software.desk import Desk
from thingstead.controller.ddi import DdiDoor
from thingstead.crypto.digest import digest
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import DDI, KeyRow
from thingstead.domain.unit import Committed, Snapshot, Unit
from thingstead.planes.software.ddi_action import DdiActions
from thingstead.storage.records import PlaneRecords
from thingstead.web.ddi_app import Limits, make_ddi

TOKEN, OTHER_TOKEN = "a" * 43, "b" * 43
DEVICE = a_thing(0, keys=(KeyRow(digest(TOKEN.encode()), DDI, AT),))
OTHER = a_thing(1, keys=(KeyRow(digest(OTHER_TOKEN.encode()), DDI, AT),))
SENSOR = a_thing(2)
"""Speaks our protocols, and has no token."""
ORIGIN = "https://updates.example:8443"
SOURCE = "192.0.2.7"


class Reply:
    def __init__(self, sent):
        start, *rest = sent
        self.status = start["status"]
        self.headers = dict(start["headers"])
        self.body = b"".join(one["body"] for one in rest)

    def json(self) -> Any:
        return json.loads(self.body)


class DdiDesk(Desk):
    """The software plane's desk with the door in front; `wake` is the next life after a restart."""

    def __init__(self, *, limits: Limits | None = None):
        super().__init__(things=(DEVICE, OTHER, SENSOR))
        self.admit()
        self.register = Register(Snapshot((DEVICE, OTHER, SENSOR), ()))
        self.refused: list[tuple[str | None, str, str]] = []
        self.noted: list[tuple[str, str]] = []
        self.limits = limits
        self.aborted: set[bytes] = set()
        self.wake()

    def wake(self):
        records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="ddi/")
        self.actions = DdiActions(records, self.tracker, is_aborted=lambda digest: digest in self.aborted)
        self.door = DdiDoor(
            self.register,
            self.actions,
            note_place=self._note,
            on_refusal=lambda thing, source, reason: self.refused.append((thing, source, reason)),
            clock=self.clock,
        )
        self.app: Any = make_ddi(self.door, origin=ORIGIN, poll_seconds=300, limits=self.limits)
        return self

    def change(self, thing):
        """The record of a thing as it stands now."""
        self.register.follow(Committed(Unit(things=(thing,)), (), ()))

    async def _note(self, thing, ip):
        self.noted.append((thing, ip))

    def ask(self, rest="", method="GET", *, thing=DEVICE, token=TOKEN, body=None, headers=(), target=None) -> Reply:
        """One request below a thing's own path; `body` is JSON, or bytes as they are."""
        sent: list[Any] = []
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        lines = [(b"host", b"x"), *headers]
        if token is not None:
            lines.append((b"authorization", f"TargetToken {token}".encode()))
        scope = {
            "type": "http",
            "method": method,
            "raw_path": target or f"/default/controller/v1/{thing.id}{rest}".encode(),
            "headers": lines,
            "client": (SOURCE, 1234),
        }
        left = [content[at : at + 1000] for at in range(0, len(content), 1000)] or [b""]

        async def receive():
            part = left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(left)}

        async def send(message):
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        return Reply(sent)

    def waiting(self, **who):
        """What waits for a device: link name -> number at its end, or the link."""
        links = self.ask(**who).json()["_links"]
        return {name: int(number) if (number := one["href"].rpartition("/")[2]).isdecimal() else number
                for name, one in links.items()}  # fmt: skip

    def begin(self, **who):
        """Let a device ask for its deployment; its number."""
        number = self.waiting(**who)["deploymentBase"]
        assert self.ask(f"/deploymentBase/{number}", **who).status == 200
        return number

    def tell(self, number, execution="closed", finished="success", *, kind="deploymentBase", details=(), **who):
        """Send feedback; the status that it is answered with."""
        status = {"result": {"finished": finished}, "execution": execution, "details": list(details)}
        body = {"id": number, "status": status}
        return self.ask(f"/{kind}/{number}/feedback", "POST", body=body, **who).status
