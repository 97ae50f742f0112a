from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.crypto.mud_certificate import URL, device_certificate, ia5
from thingstead.crypto.authority import make_authority, make_server, make_signer
from thingstead.crypto.certificate import Certificate, load_certificate, load_certificates, verify_chain
from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UnsupportedError, UntrustedError

AT = datetime(2026, 11, 23, tzinfo=UTC)
YEAR = timedelta(days=365)
SPAN = {"not_before": AT - YEAR, "not_after": AT + YEAR}
AUTHORITY = make_authority("Maker", **SPAN)
SERVER = make_server("files.maker.example", AUTHORITY, **SPAN)


@pytest.mark.spec("RFC 5280 6")
def test_a_chain_ends_at_its_anchor():
    chain = verify_chain(SERVER.certificate, (), anchors=(AUTHORITY.certificate,), at=AT)
    assert [link.subject for link in chain] == ["CN=files.maker.example", "CN=Maker"]
    assert verify_chain(SERVER.certificate, (), anchors=(SERVER.certificate,), at=AT) == (SERVER.certificate,)


@pytest.mark.spec("RFC 5280 6")
def test_an_authority_of_the_same_name_with_another_key_is_no_issuer():
    impostor = make_authority("Maker", **SPAN)
    with pytest.raises(UntrustedError, match="it ends at CN=Maker"):
        verify_chain(SERVER.certificate, (AUTHORITY.certificate,), anchors=(impostor.certificate,), at=AT)


def test_a_self_signed_certificate_that_is_no_anchor_leads_nowhere():
    with pytest.raises(UntrustedError):
        verify_chain(AUTHORITY.certificate, (AUTHORITY.certificate,), anchors=(), at=AT)


@pytest.mark.spec("RFC 5280 4.1.2.5")
@pytest.mark.parametrize(("at", "message"), [(AT + 2 * YEAR, "expired on"), (AT - 2 * YEAR, "not valid before")])
def test_each_link_must_be_valid_at_the_time(at, message):
    with pytest.raises(ExpiredError, match=message):
        verify_chain(SERVER.certificate, (), anchors=(AUTHORITY.certificate,), at=at)


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x03\x02\x01\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n", AUTHORITY.chain_pem[:90]]
)
def test_what_is_no_certificate_is_refused(data):
    with pytest.raises(DecodeError):
        load_certificate(data)
    with pytest.raises(DecodeError):
        _ = Certificate(data).subject


@pytest.mark.spec("RFC 5280 4.1.2.2")
@pytest.mark.parametrize("first", [b"\x00", b"\x80"])
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_serial_number_that_is_not_positive_is_refused(first):
    at = AUTHORITY.certificate.der.index(b"\xa0\x03\x02\x01\x02\x02") + 5
    length = AUTHORITY.certificate.der[at + 1]
    data = bytearray(AUTHORITY.certificate.der)
    data[at + 2 : at + 2 + length] = first + bytes(length - 2) + (b"\x00" if first == b"\x00" else b"\x01")
    with pytest.raises(DecodeError, match=r"expected an X.509 certificate"):
        load_certificate(bytes(data))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\x0c\x13files.maker.example", b"\x03\x13\x00iles.maker.example"),  # a name of bits
        (b"\x82\x13files.maker.example", b"\xa3\x13files.maker.example"),  # an alternative name of X.400
        (b"\x82\x13files.maker.example", b"\x82\x13fil\xffs.maker.example"),
        (b"\x55\x1d\x11", b"\x55\x1d\x13"),  # an extension that is there already
    ],
)
def test_names_and_extensions_that_nobody_can_read_are_refused_when_they_are_looked_at(before, after):
    assert before in SERVER.certificate.der
    certificate = Certificate(SERVER.certificate.der.replace(before, after))
    with pytest.raises(DecodeError):
        _ = certificate.key_usage


def test_a_name_that_nobody_can_read_is_refused_when_its_file_is_loaded():
    name = b"\x0c\x13files.maker.example"
    with pytest.raises(DecodeError):
        load_certificate(SERVER.certificate.der.replace(name, b"\x0c\x13fil\xffs.maker.example"))


def test_certificates_are_read_from_pem_and_der():
    assert load_certificate(SERVER.certificate.der) == load_certificate(SERVER.chain_pem) == SERVER.certificate
    both = load_certificates(SERVER.chain_pem + AUTHORITY.chain_pem)
    assert both == (SERVER.certificate, AUTHORITY.certificate)
    with pytest.raises(DecodeError, match="expected one certificate, got 2"):
        load_certificate(SERVER.chain_pem + AUTHORITY.chain_pem)


def test_a_signature_over_other_data_or_with_another_hash_does_not_count():
    certificate = SERVER.certificate
    with pytest.raises(AuthenticationError, match="does not verify"):
        certificate.verify(b"\x30\x06\x02\x01\x01\x02\x01\x01", b"data", digest_name="sha256")
    with pytest.raises(UnsupportedError, match="got sha1"):
        certificate.verify(b"", b"data", digest_name="sha1")


def test_only_a_signer_may_sign_and_only_an_authority_may_issue():
    assert SERVER.certificate.may_sign
    assert not AUTHORITY.certificate.may_sign
    below = make_signer("below", SERVER, **SPAN)
    with pytest.raises(UntrustedError):
        verify_chain(below.certificate, (SERVER.certificate,), anchors=(AUTHORITY.certificate,), at=AT)


def test_the_key_of_a_signer_is_not_shown():
    assert "PRIVATE" not in repr(SERVER)
    assert "redacted" in repr(SERVER) or "Secret of" in repr(SERVER)


@pytest.mark.spec("RFC 8520 11")
@pytest.mark.parametrize("url", [URL, b"https://acme.example/" + b"a" * 150])
def test_a_device_s_certificate_says_where_its_mud_file_is(url):
    assert load_certificate(device_certificate(ia5(url))[0]).mud_url == url


def test_a_certificate_without_a_mud_url_says_nothing():
    assert AUTHORITY.certificate.mud_url is None


@pytest.mark.spec("RFC 8520 11")
@pytest.mark.parametrize(
    "value", [b"", b"\x16", b"\x0c" + ia5(URL)[1:], ia5(URL)[:-1], ia5(URL) + b"x", URL, b"\x16\x81"]
)
def test_a_mud_url_that_is_no_string_of_its_kind_is_refused(value):
    with pytest.raises(DecodeError, match="IA5String"):
        _ = load_certificate(device_certificate(value)[0]).mud_url
