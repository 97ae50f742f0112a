"""tshark, unmodified, reads a capture of ours and decrypts it with the contexts that we write for it."""

import asyncio
import os
import socket
import struct
import subprocess
from contextlib import closing
from dataclasses import replace

import pytest

from tests.unit.simulator.test_capture import Clock, Interface
from tests.unit.simulator.test_key_log import MEMBER
from thingstead.protocols.coap.message import Message, MessageType, encode, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request, protect_response, unprotect_request
from thingstead.protocols.profile import path
from thingstead.secret import Secret
from thingstead.simulator import key_log
from thingstead.simulator.capture import PcapWriter

THING, DOMAIN = "10.77.1.1", "10.77.0.1"
SECRET = Secret(bytes(range(16)))


def context(own, peer):
    return SecurityContext.derive(SECRET, master_salt=MEMBER.master_salt, sender_id=own, recipient_id=peer)


def frame(source, destination, payload):
    udp = struct.pack("!HHHH", 5683, 5683, 8 + len(payload), 0) + payload
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + addresses
    return b"\x02\x77\0\0\0\1" + b"\x02\x77\0\0\0\2" + b"\x08\x00" + ip + udp


def exchange(asking, answering, message, *, here, there, mid):
    """The frames of one protected request and its response."""
    token = bytes((mid,))
    asked, _ = protect_request(replace(message, mid=mid, token=token), context=asking)
    _, binding = unprotect_request(asked, context=answering)
    answer = Message(Code.CHANGED, MessageType.ACK, mid, token, payload=b"done")
    return [frame(here, there, encode(asked)), frame(there, here, encode(protect_response(answer, binding=binding)))]


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.spec("RFC 8613 8.1")
def test_tshark_decrypts_both_directions_with_our_contexts(tmp_path, program):
    tshark = program("tshark", package="tshark")
    thing = context(MEMBER.sender_id, MEMBER.recipient_id)
    domain = context(MEMBER.recipient_id, MEMBER.sender_id)
    telemetry = request(Code.POST, path.TELEMETRY, payload=b"\x80", content_format=ContentFormat.SENML_CBOR)
    frames = [
        *exchange(thing, domain, telemetry, here=THING, there=DOMAIN, mid=1),
        *exchange(domain, thing, request(Code.GET, path.LIGHT), here=DOMAIN, there=THING, mid=2),
    ]

    async def capture():
        with closing(Interface()) as interface:
            writer = PcapWriter(tmp_path / "demo.pcap", interface, clock=Clock())
            for one in frames:
                interface.carry(one)
            writer.close()

    asyncio.run(capture())
    (tmp_path / key_log.FILE).write_text(key_log.render([replace(MEMBER, master_secret=SECRET)]))
    fields = ("oscore.code", "oscore.opt.uri_path")
    shown = subprocess.run(
        [tshark, "-r", tmp_path / "demo.pcap", "-T", "fields", *[word for field in fields for word in ("-e", field)]],
        env={**os.environ, "WIRESHARK_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("\t") for line in shown.stdout.splitlines()]
    assert rows == [["2", "senml"], ["68", ""], ["1", "light"], ["68", ""]]
