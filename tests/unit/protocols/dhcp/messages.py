"""DHCP messages, built by hand."""

import struct

MAC = bytes.fromhex("027700000001")
URL = b"https://acme.example/lamp.json"


def option4(code, value):
    return bytes([code, len(value)]) + value


def v4(
    *options,
    mac=MAC,
    operation=1,
    hardware=1,
    size=6,
    given=bytes(4),
    relay=bytes(4),
    file=b"",
    server=b"",
    end=b"\xff",
):
    head = struct.pack("!BBBBIHH4s4s4s4s", operation, hardware, size, 0, 7, 0, 0, bytes(4), given, bytes(4), relay)
    fields = mac.ljust(16, b"\0") + server.ljust(64, b"\0") + file.ljust(128, b"\0")
    return head + fields + bytes((99, 130, 83, 99)) + b"".join(options) + end


def option6(code, value):
    return struct.pack("!HH", code, len(value)) + value


def v6(*options, kind=1):
    return bytes([kind]) + b"\0\0\7" + b"".join(options)


def relayed6(inner, *options):
    return bytes([12, 0]) + bytes(32) + b"".join(options) + option6(9, inner)


DUID_LL = b"\0\3\0\1" + MAC
DUID_LLT = b"\0\1\0\1" + bytes(4) + MAC
