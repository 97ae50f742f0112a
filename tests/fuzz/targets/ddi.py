"""hawkBit's API: paths, bodies and ranges of whoever asks."""

from __future__ import annotations

import json
from functools import partial

from tests.fuzz.target import Cursor, Target, attempt, ensure
from thingstead.protocols.ddi.request import DEFAULT_LIMITS, decode_config_data, decode_feedback
from thingstead.protocols.ddi.route import route
from thingstead.web.ddi_range import wanted

_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "")
_DEVICE = b"/default/controller/v1/thing-abcdefghijklmnop"
_STATUS = {"result": {"finished": "success"}, "execution": "closed", "details": ["x"]}


def _route(data: bytes) -> None:
    """A path that leads anywhere names one device, one number and one file, and nothing that could leave a folder."""
    cursor = Cursor(data)
    found = attempt(partial(route, _METHODS[cursor.number(len(_METHODS))], _DEVICE * cursor.number(2) + data[2:]))
    if found is not None:
        ensure(found.device.replace("-", "").isalnum(), "a device with odd characters")
        ensure("/" not in found.name and ".." not in found.name, "a name that leaves its folder")
        ensure(-1 <= found.action < 10**10, "a number out of bounds")


def _body(data: bytes) -> None:
    """What is read of a body is bounded, and can be shown."""
    told = attempt(partial(decode_feedback, data))
    if told is not None:
        ensure(len(told.details) <= DEFAULT_LIMITS.max_details, "too many lines")
        ensure(all(one.isprintable() and len(one) <= DEFAULT_LIMITS.max_text for one in told.details), "an odd line")
    said = attempt(partial(decode_config_data, data))
    if said is not None:
        ensure(len(said.attributes) <= DEFAULT_LIMITS.max_attributes, "too many attributes")
        words = [*said.attributes, *said.attributes.values()]
        ensure(all(one.isprintable() and len(one) <= DEFAULT_LIMITS.max_text for one in words), "an odd word")


def _range(data: bytes) -> None:
    """A range lies within its file."""
    size = Cursor(data).number(1 << 16)
    part = attempt(lambda: wanted(data[2:].decode("latin-1"), size))
    ensure(part is None or 0 <= part[0] < part[1] <= size, "a range outside its file")


TARGETS = (
    Target(
        "ddi path",
        _route,
        (
            b"\0\1/softwaremodules/7/artifacts/firmware.swu",
            b"\3\1/deploymentBase/7/feedback",
            b"\0\1",
            b"\2\1/configData",
        ),
    ),
    Target(
        "ddi body",
        _body,
        (
            json.dumps({"id": "7", "status": _STATUS}).encode(),
            json.dumps({"mode": "merge", "data": {"hw": "1"}}).encode(),
        ),
    ),
    Target("ddi range", _range, (b"\1\0bytes=10-20", b"\1\0bytes=-5", b"\1\0bytes=7-")),
)
