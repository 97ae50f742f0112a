"""A running domain serves names to things, and its owner sees where MUD files come from."""

import asyncio
import json
import socket

import pytest

from tests.port import free_port
from tests.unit.transport.name_world import NAME, QUERY, Zone, serving
from thingstead.controller.app import running
from thingstead.controller.directory import DomainDirectory
from thingstead.errors import TransportError
from thingstead.protocols.dns.message import Rcode, decode
from thingstead.transport.upstream import Upstream

MAC, URL = "02:00:00:00:00:01", "https://mud.example/lamp.json"


@pytest.fixture
def domain(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    assert run("init", "home", "--profile", "home")[0] == 0
    return DomainDirectory(tmp_path / "home")


def settings(domain, port, upstream):
    domain.configuration.write_text(
        "[coap]\nport = 0\n[web]\nenabled = false\n[network]\nlocal = ['203.0.113.0/24']\n"
        f"[names]\nenabled = true\nport = {port}\nupstreams = ['127.0.0.1']\nupstream_port = {upstream}\n"
    )


@pytest.mark.spec("RFC 9726 3")
def test_a_domain_answers_names_and_ends_with_its_sockets_closed(domain, run):
    port, zone = free_port(), Zone((NAME, 60, "A", "198.51.100.7"))
    ours = Upstream([("127.0.0.1", port)], seconds=1)

    async def story():
        async with serving(zone) as there:
            settings(domain, port, there)
            async with running(domain):
                told = decode(await ours.ask(QUERY))
                zone.rows = ((NAME, 60, "A", "203.0.113.9"),)
                refused = decode(await ours.ask(QUERY))
                names = await asyncio.to_thread(run, "network", "names", "--domain", "home", "--json")
        with pytest.raises(TransportError):
            await ours.ask(QUERY)
        return told, refused, names

    told, refused, names = asyncio.run(story())
    assert [str(one) for one, _ in told.addresses()] == ["198.51.100.7"]
    assert (refused.rcode, refused.answers) == (Rcode.REFUSED, ())
    assert (names[0], json.loads(names[1])) == (0, [])


def test_a_port_that_is_taken_stops_the_domain_with_a_sentence(domain, run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        settings(domain, taken.getsockname()[1], free_port())
        code, _, err = run("up", "home")
    assert code != 0
    assert "expected a free UDP address" in err


def test_the_hook_of_a_dhcp_server_reaches_a_running_domain(domain, run, monkeypatch):
    domain.configuration.write_text("[coap]\nport = 0\n[web]\nenabled = false\n")
    monkeypatch.setenv("DNSMASQ_MUD_URL", URL)

    async def story():
        async with running(domain):
            hooked = await asyncio.to_thread(run, "mud", "hook", "add", MAC, "10.77.1.1", "--domain", "home")
            return hooked, await asyncio.to_thread(run, "mud", "urls", "--domain", "home", "--json")

    hooked, urls = asyncio.run(story())
    assert hooked[0] == 0
    (row,) = json.loads(urls[1])
    assert (row["thing"], row["mac"], row["mud_url"], row["source"]) == (None, MAC, URL, "dhcpv4")
