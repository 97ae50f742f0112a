import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from tests.serving import serving
from thingstead.crypto.authority import make_authority, make_server
from thingstead.errors import ConfigError, PolicyError, TransportError
from thingstead.simulator.mud_server import StaticHttpsServer
from thingstead.transport.https import HttpsConfig, HttpsFetcher

NOW = datetime.now(UTC)  # noqa: TID251  TLS looks at the machine's own clock
SPAN = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=30)}
FILES = {"/lamp": b"{}", "/large": b"x" * 5000, "/lamp.p7s": b"\x30\x00"}


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maker")
    authority = make_authority("Maker", **SPAN)
    server = make_server("127.0.0.1", authority, **SPAN)
    (folder / "ca.pem").write_bytes(authority.chain_pem)
    (folder / "server.pem").write_bytes(server.chain_pem)
    (folder / "server.key").write_bytes(server.key_pem.reveal())
    return folder


def config(maker, **changes):
    return HttpsConfig(**({"ca_file": maker / "ca.pem", "insecure_private_addresses": True, "seconds": 2.0} | changes))


def fetch(maker, path, *, max_bytes=1000, **changes):
    async def run():
        files = StaticHttpsServer(FILES, certificate=maker / "server.pem", key=maker / "server.key")
        async with files as server:
            return await HttpsFetcher(config(maker, **changes)).fetch(server.url + path, max_bytes=max_bytes)

    return asyncio.run(run())


def fetch_raw(maker, answers, **changes):
    """From a server that says `answers[n]` to request n and then hangs up, or stays silent for None."""

    async def run():
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(maker / "server.pem", maker / "server.key")
        pending = list(answers)

        async def answer(reader, writer):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                said = pending.pop(0) if len(pending) > 1 else pending[0]
                if said is None:
                    await reader.read()
                else:
                    writer.write(said)
                    await writer.drain()
            writer.close()

        async with serving(await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)) as server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/lamp"
            return await HttpsFetcher(config(maker, **changes)).fetch(url, max_bytes=100)

    return asyncio.run(run())


def test_a_document_comes_with_its_media_type(maker):
    fetched = fetch(maker, "/lamp")
    assert (fetched.body, fetched.media_type) == (b"{}", "application/mud+json")
    assert fetch(maker, "/lamp.p7s").media_type == "application/pkcs7-signature"


@pytest.mark.spec("RFC 8520 16")
def test_a_document_over_its_limit_is_refused(maker):
    assert len(fetch(maker, "/large", max_bytes=5000).body) == 5000
    with pytest.raises(TransportError, match="at most 4999 bytes"):
        fetch(maker, "/large", max_bytes=4999)


def test_what_is_not_there_is_an_error_and_not_a_document(maker):
    with pytest.raises(TransportError, match="answered 404"):
        fetch(maker, "/camera")


@pytest.mark.spec("RFC 8520 16")
def test_private_addresses_are_refused_unless_the_owner_says_so(maker):
    with pytest.raises(PolicyError, match=r"a public address for 127\.0\.0\.1"):
        fetch(maker, "/lamp", insecure_private_addresses=False)


def test_a_host_outside_the_list_is_not_asked(maker):
    with pytest.raises(PolicyError, match="a host that may be asked"):
        fetch(maker, "/lamp", hosts=frozenset({"maker.example"}))


def test_a_server_under_another_authority_is_refused(maker, tmp_path):
    (tmp_path / "ca.pem").write_bytes(make_authority("Stranger", **SPAN).chain_pem)
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(maker, "/lamp", ca_file=tmp_path / "ca.pem")


def test_a_file_without_authorities_is_a_configuration_error(maker, tmp_path):
    for path in (tmp_path / "absent.pem", maker / "server.key"):
        with pytest.raises(ConfigError, match="expected certificates of authorities"):
            HttpsFetcher(config(maker, ca_file=path))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/lamp",
        "file:///etc/passwd",
        "https://",
        "https://user@127.0.0.1/",
        "https://127.0.0.1:99999/",
        "https://[::1/",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/\r\nHost: other",
        "https://127.0.0.1/" + "a" * 3000,
        "https://maker.exämple/",
    ],
)
def test_a_url_of_another_shape_is_not_asked(maker, url):
    with pytest.raises(PolicyError):
        asyncio.run(HttpsFetcher(config(maker)).fetch(url, max_bytes=10))


def redirect(target):
    return f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def test_a_redirect_stays_on_its_host(maker):
    assert fetch_raw(maker, [redirect("/other"), OK]).url.endswith("/other")
    for target in ("https://127.0.0.2/x", "https://127.0.0.1:1/x", "http://127.0.0.1/x"):
        with pytest.raises(PolicyError):
            fetch_raw(maker, [redirect(target), OK])


@pytest.mark.parametrize("target", ["https://[", "https://[::1/x"])
def test_a_redirect_to_no_url_is_an_error_like_any_other(maker, target):
    with pytest.raises(TransportError, match="redirect to a URL"):
        fetch_raw(maker, [redirect(target), OK])


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_a_name_that_nobody_can_look_up_is_an_error_like_any_other(maker, host):
    with pytest.raises(TransportError, match="did not answer"):
        asyncio.run(HttpsFetcher(config(maker)).fetch(f"https://{host}/lamp", max_bytes=10))


@pytest.mark.spec("RFC 8520 16")
def test_a_server_that_trickles_its_header_has_no_more_time_than_another(maker):
    async def run():
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(maker / "server.pem", maker / "server.key")

        async def trickle(_reader, writer):
            with contextlib.suppress(OSError):
                while True:
                    writer.write(b"H")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            writer.close()

        async with serving(await asyncio.start_server(trickle, "127.0.0.1", 0, ssl=tls)) as server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/lamp"
            async with asyncio.timeout(30):
                await HttpsFetcher(config(maker, seconds=0.15)).fetch(url, max_bytes=100)

    with pytest.raises(TransportError, match="did not answer"):
        asyncio.run(run())


def test_redirects_are_counted(maker):
    with pytest.raises(TransportError, match="more than 3 times"):
        fetch_raw(maker, [redirect("/again")])


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", OK.replace(b": 2", b": 9"), None],
    ids=["nothing", "not HTTP", "headers", "cut", "silence"],
)
def test_a_server_that_misbehaves_is_a_transport_error(maker, answer):
    with pytest.raises(TransportError):
        fetch_raw(maker, [answer], seconds=0.15)
