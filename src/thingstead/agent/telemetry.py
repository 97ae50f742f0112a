"""What a thing tells, again and again: one SenML pack per interval (RFC 8428)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from thingstead.agent.ports import Sensor
from thingstead.agent.story import Request, Story, Wait
from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path
from thingstead.protocols.senml import pack

__all__ = ["tell"]

_LOGGER = logging.getLogger(__name__)


def tell(sensor: Sensor, *, interval: Callable[[], float], utc: Callable[[], datetime]) -> Story:
    """Report until stopped.

    Args:
        sensor: what is read.
        interval: seconds between two readings, asked each time: an update may change it.
        utc: the thing's clock.
    """
    while True:
        try:
            senml = pack.render_cbor(sensor.read(utc()))
            yield Request(request(Code.POST, path.TELEMETRY, payload=senml, content_format=ContentFormat.SENML_CBOR))
        except ThingsteadError as error:
            # Lost: the next reading is worth more than a repetition of this one.
            _LOGGER.debug("a reading was lost: %s", error)
        yield Wait(interval(), "telemetry")
