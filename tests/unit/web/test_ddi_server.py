"""The connections of hawkBit's API over real TLS on loopback: whoever only waits is shown out."""

import asyncio
import contextlib
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from thingstead.clock import SystemClock
from thingstead.controller.tls_identity import TlsIdentity
from thingstead.crypto.digest import digest
from thingstead.errors import ConfigError
from thingstead.web.ddi_app import CERTIFICATE
from thingstead.web.ddi_server import ConnectionLimits, ddi_listener, ddi_service

FILE = bytes(16 << 20)
"""More than two kernels' buffers of one connection hold."""
REQUEST = b"GET /%s HTTP/1.1\r\nhost: x\r\n\r\n"
SHORT = ConnectionLimits(header_seconds=0.05, write_seconds=0.05, handshake_seconds=0.05)


async def application(scope, receive, send):
    """``/file`` is large; anything else is ``ok``."""
    body = FILE if scope["path"] == "/file" else b"ok"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for at in range(0, len(body), 1 << 16):
        await send({"type": "http.response.body", "body": body[at : at + (1 << 16)], "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Visitor:
    def __init__(self, port, trust):
        self.port = port
        self.trust = trust

    @contextlib.asynccontextmanager
    async def connection(self):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.trust, server_hostname="localhost"
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def ask(self, path=b""):
        async with self.connection() as (reader, writer):
            writer.write(REQUEST % path)
            return await reader.readuntil(b"ok" if not path else b"\r\n\r\n")


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return TlsIdentity(tmp_path_factory.mktemp("tls"), domain="home", host="localhost", clock=SystemClock())


@pytest.fixture
def visit(identity):
    trust = ssl.create_default_context(cadata=identity.authority.decode())

    def visit(story, limits=None):
        async def run():
            listener = ddi_listener("127.0.0.1", 0)
            port = listener.getsockname()[1]
            async with asyncio.timeout(10), ddi_service(application, listener, identity.context, limits=limits):
                return await story(Visitor(port, trust))

        return asyncio.run(run())

    return visit


async def ended(reader):
    """Read until the server ends the connection, one way or the other."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        return await reader.read()
    return b""


def test_a_visitor_who_trusts_the_authority_is_served(visit):
    async def story(visitor):
        return await visitor.ask()

    answer = visit(story)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"server:" not in answer.lower()


async def showing(scope, _receive, send):
    """Tells the digest of the certificate that was shown."""
    body = digest(scope["state"][CERTIFICATE]).hex().encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def certified(identity, folder, *, by=None):
    """What a device has of its certificate: a context for TLS, and the digest."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    made = (by or identity).certify(request.public_bytes(Encoding.PEM), "thing-a")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "device.pem").write_bytes(made.pem + private)
    context = ssl.create_default_context(cadata=identity.authority.decode())
    context.load_cert_chain(folder / "device.pem")
    return context, digest(made.der).hex().encode()


def test_what_a_client_shows_is_told_and_what_another_authority_signed_ends_the_connection(identity, tmp_path):
    other = TlsIdentity(tmp_path / "other", domain="home", host="localhost", clock=SystemClock())
    mine, shown = certified(identity, tmp_path)
    others, _ = certified(identity, tmp_path, by=other)
    nothing = ssl.create_default_context(cadata=identity.authority.decode())

    async def run():
        listener = ddi_listener("127.0.0.1", 0)
        port = listener.getsockname()[1]
        async with asyncio.timeout(10), ddi_service(showing, listener, identity.context):
            for context, expected in ((mine, shown), (nothing, digest(b"").hex().encode())):
                async with Visitor(port, context).connection() as (reader, writer):
                    writer.write(REQUEST % b"")
                    assert (await reader.readuntil(expected)).endswith(expected)
            async with Visitor(port, others).connection() as (reader, writer):
                writer.write(REQUEST % b"")
                return await ended(reader)

    assert asyncio.run(run()) == b""


def test_nobody_says_that_they_are_elsewhere(identity):
    clients = []

    async def noting(scope, receive, send):
        clients.append(scope["client"][0])
        await application(scope, receive, send)

    async def run():
        listener = ddi_listener("127.0.0.1", 0)
        trust = ssl.create_default_context(cadata=identity.authority.decode())
        visitor = Visitor(listener.getsockname()[1], trust)
        service = ddi_service(noting, listener, identity.context)
        async with asyncio.timeout(10), service, visitor.connection() as (reader, writer):
            claims = b"x-forwarded-for: 192.0.2.1\r\nforwarded: for=192.0.2.1\r\nx-real-ip: 192.0.2.1\r\n"
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n" + claims + b"\r\n")
            await reader.readuntil(b"ok")

    asyncio.run(run())
    assert clients == ["127.0.0.1"]


def test_a_visitor_who_trusts_others_is_not_spoken_to(visit):
    async def story(visitor):
        visitor.trust = ssl.create_default_context()
        with pytest.raises(ssl.SSLCertVerificationError):
            await visitor.ask()

    visit(story)


def test_http_in_clear_is_not_spoken(visit):
    async def story(visitor):
        reader, writer = await asyncio.open_connection("127.0.0.1", visitor.port)
        writer.write(REQUEST % b"")
        answer = await ended(reader)
        writer.close()
        return answer

    assert b"HTTP/1.1 200" not in visit(story)


def test_a_handshake_that_does_not_go_on_is_ended(visit):
    async def story(visitor):
        reader, writer = await asyncio.open_connection("127.0.0.1", visitor.port)
        await ended(reader)
        writer.close()
        return await visitor.ask()

    assert b"200" in visit(story, SHORT)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nx: y\r\n"])
def test_a_header_that_does_not_end_is_waited_for_no_longer_than_the_limit(visit, begun):
    async def story(visitor):
        async with visitor.connection() as (reader, writer):
            writer.write(begun)
            return await ended(reader)

    assert visit(story, SHORT) == b""


def test_a_second_request_that_trickles_is_ended_too(visit):
    async def story(visitor):
        async with visitor.connection() as (reader, writer):
            writer.write(REQUEST % b"")
            await reader.readuntil(b"ok")
            writer.write(b"GET")
            return await ended(reader)

    assert visit(story, SHORT) == b""


def test_a_header_without_end_is_refused_when_it_is_over_the_limit(visit):
    async def story(visitor):
        async with visitor.connection() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-filler: " + b"x" * 20_000)
            return await ended(reader)

    answer = visit(story)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("line", [b"\x00\x01\x02\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"])
def test_what_is_no_request_is_refused(visit, line):
    async def story(visitor):
        async with visitor.connection() as (reader, writer):
            writer.write(line)
            return await ended(reader)

    assert b"200" not in visit(story)


@pytest.mark.slow
def test_a_visitor_who_takes_nothing_of_a_file_is_cut_off(visit):
    async def story(visitor):
        async with visitor.connection() as (reader, writer):
            writer.write(REQUEST % b"file")
            # Not one byte is read until the server has given up.
            transport = writer.transport
            transport.pause_reading()
            await asyncio.sleep(0.3)
            transport.resume_reading()
            return await ended(reader)

    assert len(visit(story, SHORT)) < len(FILE)


def test_one_address_has_so_many_connections_and_no_more(visit):
    async def story(visitor):
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(visitor.connection())
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await visitor.ask()
        while True:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                return await visitor.ask()

    assert b"200" in visit(story, ConnectionLimits(most_of_one=2))


def test_beyond_the_limit_visitors_wait_until_there_is_room(visit):
    async def story(visitor):
        async with visitor.connection():
            late = asyncio.get_running_loop().create_task(visitor.ask())
            await asyncio.wait({late}, timeout=0.05)
            assert not late.done()
        return await late

    assert b"200" in visit(story, ConnectionLimits(most=1))


def test_the_end_of_the_service_ends_its_connections(identity):
    async def run():
        listener = ddi_listener("127.0.0.1", 0)
        visitor = Visitor(listener.getsockname()[1], ssl.create_default_context(cadata=identity.authority.decode()))
        async with asyncio.timeout(10), contextlib.AsyncExitStack() as stack:
            async with ddi_service(application, listener, identity.context):
                reader, writer = await stack.enter_async_context(visitor.connection())
                writer.write(b"GET")
            return await ended(reader)

    assert asyncio.run(run()) == b""


@pytest.mark.parametrize("host", ["", "updates.example", "999.1.1.1"])
def test_it_listens_on_addresses(host):
    with pytest.raises(ConfigError):
        ddi_listener(host, 0)


def test_a_port_that_is_taken_is_said_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError):
            ddi_listener("127.0.0.1", taken.getsockname()[1])
