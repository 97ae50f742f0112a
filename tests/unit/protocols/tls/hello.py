"""Client hellos: real ones of the TLS library that Python has, and ones typed out."""

import contextlib
import ssl


def real(*, name="cloud.example", protocols=("h2",), **limits):
    """What OpenSSL sends first."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(list(protocols))
    for attribute, value in limits.items():
        setattr(context, attribute, value)
    outgoing = ssl.MemoryBIO()
    with_name = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        with_name.do_handshake()
    return outgoing.read()


def vector(width, data):
    return len(data).to_bytes(width) + data


def extension(kind, body):
    return kind.to_bytes(2) + vector(2, body)


def numbers(*values, width=2):
    return b"".join(value.to_bytes(width) for value in values)


def body(*extensions, suites=(0x1301,), version=0x0303, cookie=None):
    datagram = b"" if cookie is None else vector(1, cookie)
    head = version.to_bytes(2) + bytes(32) + vector(1, b"") + datagram
    tail = vector(2, b"".join(extensions)) if extensions else b""
    return head + vector(2, numbers(*suites)) + vector(1, b"\0") + tail


def tls(content, *, kind=1):
    return b"\x16\x03\x01" + vector(2, bytes([kind]) + vector(3, content))


def dtls(content):
    message = b"\x01" + len(content).to_bytes(3) + bytes(5) + len(content).to_bytes(3) + content
    return b"\x16\xfe\xfd" + bytes(8) + vector(2, message)
