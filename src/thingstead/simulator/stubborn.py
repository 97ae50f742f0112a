"""A thing that does not take no for an answer: what a stolen or broken one does, so that clocks measure something.

It refuses to be wiped, and once told to insist it asks again and again, under its old keys, on every plane it knows
a resource of. The only thing about it that is simulated is its bad character.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from thingstead.agent.story import Request, Story, Wait
from thingstead.agent.telemetry import tell
from thingstead.endpoint.resource import Call
from thingstead.errors import ForbiddenError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import path
from thingstead.simulator.visitor import VisitedAgent, live

__all__ = ["StubbornAgent"]


class StubbornAgent(VisitedAgent):
    """An agent with a bad character."""

    def answer(self, asked: Mapping[str, Any]) -> dict[str, object]:
        """Its status; with ``insist`` and an interval in seconds it begins to."""
        if asked.get("operation") == "insist" and self.association is not None:
            self._insist(float(asked["interval"]))
        return super().answer(asked)

    def on_wipe(self, call: Call) -> Message:  # noqa: ARG002  it does not listen
        """Says no."""
        raise ForbiddenError(f"{self.birth.serial} does not forget", reason="stubborn")

    def _insist(self, interval: float) -> None:
        if self.association is None:
            return
        cti = cwt.decode(self.association.thing_credential).claims.required(Claim.CTI)
        telemetry = tell(self.hardware.sensor, interval=lambda: interval, utc=self.utc)
        self.stories.start("insist on telemetry", telemetry, self.now)
        status = request(Code.FETCH, path.CREDENTIAL_STATUS, payload=codec.encode(cti))
        self.stories.start("insist on being known", _again(status, interval), self.now)
        self.stories.start("insist on updates", _again(request(Code.GET, path.UPDATE), interval), self.now)


def _again(message: Message, interval: float) -> Story:
    while True:
        try:
            yield Request(message, timeout=1.0)
        except ThingsteadError:
            # Refused or lost: that is the point.
            yield Wait(interval)
        else:
            yield Wait(interval)


if __name__ == "__main__":
    live(StubbornAgent, json.loads(sys.argv[1]))
