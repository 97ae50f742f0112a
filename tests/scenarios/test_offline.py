"""A whole life with every way out of the machine shut: no vendor's cloud, no Internet, no name look-up."""

import json
import socket
from dataclasses import replace

import pytest

from tests.scenarios.world import play
from thingstead.controller.config import NetworkConfig

_MUD = {
    "ietf-mud:mud": {
        "mud-version": 1,
        "mud-url": "https://mud.example/LX-1.json",
        "last-update": "2026-11-01T00:00:00Z",
        "cache-validity": 48,
        "is-supported": True,
        "systeminfo": "a lamp",
        "from-device-policy": {"access-lists": {"access-list": [{"name": "out"}]}},
        "to-device-policy": {"access-lists": {"access-list": []}},
    },
    "ietf-access-control-list:acls": {
        "acl": [
            {
                "name": "out",
                "type": "ipv4-acl-type",
                "aces": {
                    "ace": [
                        {
                            "name": "cloud",
                            "matches": {"ipv4": {"protocol": 17, "ietf-acldns:dst-dnsname": "cloud.example"}},
                            "actions": {"forwarding": "accept"},
                        }
                    ]
                },
            }
        ]
    },
}
"""The maker would like its lamp to talk to a cloud; the owner's domain lives without it."""


@pytest.mark.requirement("R-79")
def test_everything_works_with_no_way_out_of_the_machine(monkeypatch):
    tried = []

    def shut(name):
        def refuse(*arguments, **_settings):
            tried.append((name, arguments[1:] if name.startswith("socket.") else arguments))
            raise OSError("no network here")

        return refuse

    for name in ("connect", "connect_ex", "bind", "sendto", "sendmsg"):
        monkeypatch.setattr(socket.socket, name, shut(f"socket.{name}"))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, shut(name))

    async def story(world):
        world.domain.mud_files.documents["https://mud.example/LX-1.json"] = json.dumps(_MUD).encode()
        world.domain.config = replace(world.domain.config, network=NetworkConfig(insecure_unsigned_mud=True))
        await world.domain.crash()
        await world.domain.start()
        one, other = await world.joined("A0001", "A0002")
        rules = world.domain.controller.planes.network.rules_of(world.domain.record("A0001"))
        assert rules is not None
        assert "cloud.example" in rules.dns_names
        await world.domain.ask("thing.quarantine", thing=one.id)
        await world.domain.ask("thing.restore", thing=one.id)
        retired = await world.domain.ask("thing.retire", thing=other.id)
        assert retired["wipe_receipt"]
        await world.domain.crash()
        await world.domain.start()
        told = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > told)

    play(story)
    assert tried == []
