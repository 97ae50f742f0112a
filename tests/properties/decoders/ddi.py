"""hawkBit's API: bodies, paths and ranges."""

import json

from tests.properties.decoder import Decoder
from thingstead.protocols.ddi import request, route
from thingstead.web import ddi_range

_STATUS = {"result": {"progress": {"cnt": 1, "of": 1}, "finished": "success"}, "execution": "closed", "details": ["x"]}
_FEEDBACK = json.dumps({"id": 7, "time": "20261123T182204", "status": _STATUS}).encode()
_CONFIG = json.dumps({"id": "", "mode": "merge", "data": {"hw": "1", "serial": "G-1"}}).encode()
_PATH = b"/default/controller/v1/thing-abcdefghijklmnop/softwaremodules/7/artifacts/firmware.swu"

DECODERS = (
    Decoder("ddi.request.decode_feedback", request.decode_feedback, (_FEEDBACK.hex(),)),
    Decoder("ddi.request.decode_config_data", request.decode_config_data, (_CONFIG.hex(),)),
    Decoder("ddi.route.route", lambda data: route.route("GET", data), (_PATH.hex(),)),
    Decoder("web.ddi_range.wanted", lambda data: ddi_range.wanted(data.decode("latin-1"), 1000), (b"bytes=1-9".hex(),)),
)
