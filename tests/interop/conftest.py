"""A story between our endpoint and a peer, as a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.interop.endpoint_party import EndpointParty, on_loopback
from tests.interop.keys import Keys
from tests.interop.peer import Aiocoap, Libcoap, Node, Peer
from thingstead.protocols.oscore.context import SecurityContext


@pytest.fixture
def make_peer(request, tmp_path, peers, program):
    """Find a peer and make it: ``make_peer("aiocoap", keys)``."""

    def make(name: str, keys: Keys | None) -> Peer:
        match name:
            case "aiocoap":
                return Aiocoap(tmp_path, keys, python=peers("python") / "bin" / "python")
            case "npm-coap":
                return Node(tmp_path, keys, node=program("node", package="nodejs"), directory=peers("node"))
            case "libcoap-4.3.5":
                made = peers("libcoap")
                return Libcoap(tmp_path, keys, client=made / "coap-client", server=made / "coap-server")
            case "libcoap-4.3.1":
                client, server = (
                    program(f"coap-{role}-notls", package="libcoap3-bin") for role in ("client", "server")
                )
                return Libcoap(tmp_path, keys, client=client, server=server)
        raise AssertionError(name)

    return make


@pytest.fixture
def play(make_peer):
    """Run a story of our party and a peer.

    ``peer+oscore`` names one that shares the keys of the story with us, ``peer+tcp`` and ``peer+oscore+tcp`` one that
    speaks over TCP.
    """

    def play(
        story: Callable[[EndpointParty, Peer], Awaitable[Any]],
        case: str,
        *,
        keys: Keys | None = None,
        ours: SecurityContext | None = None,
    ) -> Any:
        name, *how = case.split("+")
        keys = (keys or Keys()) if "oscore" in how else None

        async def whole() -> Any:
            peer = make_peer(name, keys)
            context = None if keys is None else ours or keys.ours()
            is_lenient = keys is None and not peer.knows_echo
            ours_runs = on_loopback(context, host=peer.host, is_lenient=is_lenient, over_tcp="tcp" in how)
            async with ours_runs as party, peer:
                return await story(party, peer)

        return asyncio.run(whole())

    return play
