import ssl

import pytest

from tests.unit.protocols.tls.hello import body, dtls, extension, numbers, real, tls, vector
from thingstead.errors import DecodeError, ProtocolError, UnsupportedError
from thingstead.protocols.tls.client_hello import ClientHello, decode

EVERYTHING = (
    extension(10, vector(2, numbers(0x0A0A, 29, 23))),
    extension(13, vector(2, numbers(0x0403))),
    extension(50, vector(2, numbers(0x0804))),
    extension(16, vector(2, vector(1, b"h2") + vector(1, b"\x1a\x1a"))),
    extension(27, vector(1, numbers(2))),
    extension(43, vector(1, numbers(0x3A3A, 0x0304, 0x0303))),
    extension(45, vector(1, b"\x01")),
    extension(0x2A2A, b""),
)


@pytest.mark.spec("RFC 8446 4.1.2")
def test_what_a_real_library_offers_is_read():
    hello = decode(real())
    assert 0x0304 in hello.versions
    assert {0x1301, 0x1302, 0x1303} <= set(hello.cipher_suites)
    assert {0, 10, 13, 43, 51} <= set(hello.extensions)
    assert (29 in hello.groups, hello.protocols, bool(hello.signature_algorithms)) == (True, (b"h2",), True)


def test_a_client_that_knows_no_tls_13_offers_its_version_by_the_old_field():
    hello = decode(real(maximum_version=ssl.TLSVersion.TLSv1_2))
    assert (hello.versions, 43 in hello.extensions) == ((0x0303,), False)


@pytest.mark.spec("RFC 8701 3")
@pytest.mark.parametrize("record", [tls(body(*EVERYTHING)), dtls(body(*EVERYTHING, cookie=b"abc"))])
def test_every_list_is_read_without_what_is_there_to_be_passed_over(record):
    assert decode(record) == ClientHello(
        versions=(0x0304, 0x0303),
        cipher_suites=(0x1301,),
        extensions=(10, 13, 50, 16, 27, 43, 45),
        groups=(29, 23),
        signature_algorithms=(0x0403,),
        certificate_algorithms=(0x0804,),
        psk_modes=(1,),
        protocols=(b"h2",),
        compressions=(2,),
    )


def test_a_hello_without_extensions_is_one():
    assert decode(dtls(body(version=0xFEFD, cookie=b""))) == ClientHello((0xFEFD,), (0x1301,))


def test_what_follows_the_first_record_is_not_looked_at():
    assert decode(tls(body()) + b"\x14\x03\x03\x00\x01\x01") == decode(tls(body()))


@pytest.mark.spec("RFC 8446 5.1")
@pytest.mark.parametrize(
    "record", [tls(body(*EVERYTHING))[:-1], dtls(body(*EVERYTHING, cookie=b""))[:-1], real()[:100]]
)
def test_a_hello_that_goes_on_elsewhere_is_not_guessed_at(record):
    with pytest.raises(UnsupportedError, match="got its beginning"):
        decode(record)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a handshake record"),
        (b"GET / HTTP/1.1", "a handshake record"),
        (b"\x17\x03\x03\x00\x01\x00", "a handshake record"),
        (tls(body(), kind=2), "a client hello"),
        (b"\x16\x03\x01\x00\x00", "a client hello"),
        (tls(b"\x03\x03"), "octets"),
        (tls(body(suites=())[:-3]), "octets"),
        (tls(body(extension(10, vector(2, b"\x00")))), "numbers of 2 octets"),
        (tls(body(extension(10, b"\x00\x09\x00"))), "octets"),
        (tls(body(extension(0, b""), extension(0, b""))), "extension 0 once"),
        (tls(body(extension(16, vector(2, b"\x05h2")))), "octets"),
    ],
)
def test_what_is_no_client_hello_is_refused(data, message):
    with pytest.raises(DecodeError, match=message):
        decode(data)


def test_any_cut_is_refused_or_whole():
    whole = real()
    for size in range(len(whole)):
        with pytest.raises(ProtocolError):
            decode(whole[:size])
