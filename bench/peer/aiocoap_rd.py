"""aiocoap's resource directory for the bench: runs in build/peers/python, ``... bench/peer/aiocoap_rd.py ENDPOINTS``.

Reads lookups from its input, a JSON object of names to ``["ep" or "res", [query, ...]]``, and prints the nanoseconds of
some of each, from the request to its rendered response, in memory.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any

from aiocoap import GET, Message
from aiocoap.cli.rd import CommonRD, EndpointLookupInterface, ResourceLookupInterface
from aiocoap.util.linkformat import parse

_ROUNDS = 3


async def main(endpoints: int) -> None:
    common: Any = CommonRD()
    # Its own way to a free path looks at all that are taken, each time; lookups are what is measured.
    numbers = itertools.count(1)
    common._new_pathtail = lambda: (str(next(numbers)), "")
    for number in range(endpoints):
        remote = SimpleNamespace(uri=f"coap://10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        registration = common.initialize_endpoint(remote, {"ep": [f"node{number}"]})
        registration.links = parse(f"</light>;rt=light;if=core.a,</s>;rt=rare{number}")
    interfaces = {"ep": EndpointLookupInterface(common), "res": ResourceLookupInterface(common)}
    found: dict[str, list[int]] = {}
    for name, (kind, queries) in json.load(sys.stdin).items():
        found[name] = [await _timed(interfaces[kind], queries) for _ in range(_ROUNDS)]
    print(json.dumps(found))


async def _timed(interface: Any, queries: list[str]) -> int:
    request = Message(code=GET, uri_query=queries)
    began = perf_counter_ns()
    response = await interface.render_get(request)
    took = perf_counter_ns() - began
    if not response.payload:
        raise RuntimeError(f"nothing was found: {queries}")
    return took


asyncio.run(main(int(sys.argv[1])))
