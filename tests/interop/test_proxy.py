"""Our proxy between our endpoint and peers that are not ours: what they say to each other, it carries unread."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from contextlib import asynccontextmanager, suppress
from datetime import date

import pytest

from tests.interop.endpoint_party import LARGE, on_loopback
from tests.interop.peer import RefusedError
from tests.interop.test_requests import ALL
from tests.port import free_port
from thingstead.coap.client import Client
from thingstead.protocols.coap.registry import Code, OptionNumber, Scheme
from thingstead.proxy.config import Approach, ClientsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.program import running

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.requirement("R-52")]

LOOPBACK = ("127.0.0.0/8", "::1/128")


@asynccontextmanager
async def proxy_to(host, port, *, is_protected, scheme=Scheme.COAP):
    """A proxy on a port of its own, by UDP and TCP, in front of one origin."""
    own = free_port(host)
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


@pytest.mark.spec("RFC 8323 8.1")
@pytest.mark.parametrize("case", [case for case in ALL if case != "npm-coap"])
def test_a_client_of_theirs_on_tcp_asks_our_server_on_udp(play, case):
    async def story(party, peer):
        async with proxy_to(party.host, party.port, is_protected=peer.keys is not None) as (proxy, own):
            at = f"coap+tcp://{f'[{party.host}]' if ':' in party.host else party.host}:{own}"
            return [
                await peer.ask("GET", f"{at}/hello"),
                await peer.ask("PUT", f"{at}/store", b"1"),
                await peer.ask("GET", f"{at}/large"),
            ], proxy.held["connections"]

    answers, connections = play(story, case)
    assert [answer[:2] for answer in answers] == [("2.05", b"hello"), ("2.04", b""), ("2.05", LARGE)]
    assert connections <= 3


@pytest.mark.spec("RFC 8323 8.1")
@pytest.mark.parametrize("case", [case for case in ALL if case != "npm-coap"])
def test_our_client_on_udp_asks_a_server_of_theirs_on_tcp(play, case):
    async def story(party, peer):
        port = await peer.serve()
        is_protected = peer.keys is not None
        async with proxy_to(party.host, port, is_protected=is_protected, scheme=Scheme.COAP_TCP) as (proxy, own):
            return [
                await party.ask(Code.GET, "/hello", own),
                await party.ask(Code.PUT, "/store", own, payload=b"1"),
                # libcoap cuts what OSCORE protects for its own hop, and datagrams know no block of that size (BERT).
                await party.ask(Code.GET, "/large" if case != "libcoap-4.3.5+oscore" else "/hello", own),
            ], proxy.held["connections"]

    (hello, stored, large), connections = play(story, case)
    assert hello.payload.strip() != b""
    assert stored.code in (Code.CHANGED, Code.CREATED)
    assert large.payload in (LARGE, hello.payload)
    assert connections == 1


@pytest.mark.spec("RFC 7641 5")
@pytest.mark.parametrize("case", [case for case in ALL if "oscore" not in case])
def test_clients_of_theirs_and_ours_share_one_observation(play, case):
    async def story(party, peer):
        async with proxy_to(party.host, party.port, is_protected=False) as (proxy, own), Client() as ours:
            at = f"coap://{f'[{party.host}]' if ':' in party.host else party.host}:{own}/store"
            told = [await peer.observe(at)]
            async with ours.observe(at) as responses:
                first = await anext(responses)
                party.change(b"one")
                told += [await peer.next(), first.payload, (await anext(responses)).payload]
            return told, len(party.observers), proxy.joined

    assert play(story, case) == ([b"empty", b"one", b"empty", b"one"], 1, 1)


# Programs of theirs that name us as their proxy


@pytest.fixture
def forward(peers, program):
    """The command of a client that asks for a URI through the proxy at another."""
    commands = {
        "libcoap-4.3.1": lambda: [program("coap-client-notls", package="libcoap3-bin"), *_LIBCOAP],
        "libcoap-4.3.5": lambda: [peers("libcoap") / "coap-client", *_LIBCOAP],
        "aiocoap": lambda: [peers("python") / "bin" / "aiocoap-client", "--proxy"],
    }
    return lambda name: commands[name]()


async def said(words):
    """All that a program writes until it ends."""
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=STDOUT)
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    return out


_LIBCOAP = ("-B", "10", "-m", "get", "-P")
_FORWARDED = [
    (name, via, to)
    for name in ("libcoap-4.3.1", "libcoap-4.3.5", "aiocoap")
    for via in ("coap", "coap+tcp")
    for to in (Scheme.COAP, Scheme.COAP_TCP)
]


@pytest.mark.spec("RFC 7252 5.7.2")
@pytest.mark.parametrize(("name", "via", "to"), _FORWARDED)
def test_a_program_of_theirs_has_us_for_its_forward_proxy(forward, name, via, to):
    async def story():
        over_tcp = to is Scheme.COAP_TCP
        async with (
            on_loopback(None, host="127.0.0.1", is_lenient=True, over_tcp=over_tcp) as party,
            proxy_to(party.host, party.port, is_protected=False, scheme=to) as (proxy, own),
        ):
            told = await said([*forward(name), f"{via}://127.0.0.1:{own}", f"{to.value}://origin:{party.port}/hello"])
            return told, proxy.relayed

    told, relayed = asyncio.run(story())
    assert b"hello" in told
    assert relayed == 1


@pytest.mark.parametrize("uri", ["coap://elsewhere/hello", "coap://127.0.0.1:1/hello"])
@pytest.mark.parametrize("name", ["libcoap-4.3.1", "libcoap-4.3.5", "aiocoap"])
def test_a_program_of_theirs_is_told_that_we_do_not_go_there(forward, name, uri):
    async def story():
        async with proxy_to("127.0.0.1", 9, is_protected=False) as (proxy, own):
            told = await said([*forward(name), f"coap://127.0.0.1:{own}", uri])
            return told, proxy.relayed, proxy.counters.get("route")

    told, relayed, refused = asyncio.run(story())
    assert b"5.05" in told
    assert (relayed, refused) == (0, 1)


# A proxy of theirs behind ours


@pytest.mark.parametrize("case", ["aiocoap", "aiocoap+oscore"])
def test_a_proxy_of_theirs_behind_ours_is_one_more_hop(play, peers, case):
    async def story(party, peer):
        port = free_port(party.host)
        server = f"[{party.host}]:{party.port}"
        command = [peers("python") / "bin" / "aiocoap-proxy", "--reverse", "--bind", f"[{party.host}]:{port}"]
        theirs = await asyncio.create_subprocess_exec(*command, "--unconditional", server, stderr=DEVNULL)
        try:
            async with proxy_to(party.host, port, is_protected=peer.keys is not None) as (_, own):
                at = f"coap://[{party.host}]:{own}"
                async with asyncio.timeout(20):
                    while True:
                        # Until it is there, ours says 5.04, which is not protected.
                        with suppress(RefusedError):
                            code, payload = await peer.ask("GET", f"{at}/hello")
                            if code != "5.04":
                                return code, payload, [m.option(OptionNumber.HOP_LIMIT) for m in party.messages()]
        finally:
            theirs.terminate()
            await theirs.wait()

    code, payload, hops = play(story, case)
    assert (code, payload) == ("2.05", b"hello")
    assert b"\x10" in hops
