"""Our proxy between our endpoint and peers that are not ours: what they say to each other, it carries unread."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from datetime import date

import pytest

from tests.interop.endpoint_party import LARGE
from tests.interop.test_requests import ALL
from thingstead.protocols.coap.registry import Code, Scheme
from thingstead.proxy.config import Approach, ClientsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.program import running

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.requirement("R-52")]

LOOPBACK = ("127.0.0.0/8", "::1/128")


@asynccontextmanager
async def proxy_to(host, port, *, is_protected, scheme=Scheme.COAP):
    """A proxy on a port of its own, by UDP and TCP, in front of one origin."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((host, 0))
        own = free.getsockname()[1]
    approach = (
        {"approach": Approach.SELECTIVE_PROTECTION}
        if is_protected
        else {"approach": Approach.SHARED_CREDENTIALS, "exception_until": date.max, "exception_reason": "in a test"}
    )
    config = ProxyConfig(
        listen=ListenConfig(host=host, port=own, tcp=True),
        clients=ClientsConfig(networks=LOOPBACK, verified=LOOPBACK),
        origin=(OriginConfig(name="origin", address=host, port=port, reverse=True, scheme=scheme, **approach),),
    )
    async with running(config) as proxy:
        yield proxy, own


@pytest.mark.parametrize("case", ALL)
def test_a_client_of_theirs_asks_our_server_through_it(play, case):
    async def story(party, peer):
        async with proxy_to(party.host, party.port, is_protected=peer.keys is not None) as (proxy, own):
            host = f"[{party.host}]" if ":" in party.host else party.host
            at = f"coap://{host}:{own}"
            return [
                await peer.ask("GET", f"{at}/hello"),
                await peer.ask("PUT", f"{at}/store", b"1"),
                await peer.ask("GET", f"{at}/large"),
            ], proxy.relayed

    answers, relayed = play(story, case)
    assert [answer[:2] for answer in answers] == [("2.05", b"hello"), ("2.04", b""), ("2.05", LARGE)]
    assert relayed >= 3


@pytest.mark.parametrize("case", ALL)
def test_our_client_asks_a_server_of_theirs_through_it(play, case):
    async def story(party, peer):
        port = await peer.serve()
        async with proxy_to(party.host, port, is_protected=peer.keys is not None) as (proxy, own):
            return [
                await party.ask(Code.GET, "/hello", own),
                await party.ask(Code.PUT, "/store", own, payload=b"1"),
                await party.ask(Code.GET, "/large", own),
            ], proxy.relayed

    (hello, stored, large), relayed = play(story, case)
    assert hello.payload.strip() != b""
    assert stored.code in (Code.CHANGED, Code.CREATED)
    assert large.payload == LARGE
    assert relayed >= 3
