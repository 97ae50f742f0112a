import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.mud.url import Label, decode_string, parse_qr_code, parse_url

URL = "https://acme.example/lamp.json"
CODE = f"[)>\x1e06\x1d12NB000Acme\x1fM180{URL}\x1fB001LX-1\x1f\x1e\x04"


@pytest.mark.parametrize("url", [URL, "https://acme.example:8443/a?b=c", "https://[2001:db8::1]/a"])
def test_a_mud_url_is_taken_as_it_is(url):
    assert parse_url(url) == url


@pytest.mark.spec("RFC 8520 1.4")
@pytest.mark.parametrize(
    "text",
    ["", "http://acme.example/a", "file:///etc/passwd", "https://", "https:///a", "acme.example/a", "https://a b/",
     "https://acme.example/\n", "https://\u00e4.example/", "https://user@acme.example/", "https://acme.example/#x",
     "https://[::1/", "https://acme.example:99999/", "HTTPS//x",
     "hTtps://acme.example/", "https://acme.example/" + "a" * 1024],
)  # fmt: skip
def test_what_is_no_mud_url_is_refused(text):
    with pytest.raises(DecodeError):
        parse_url(text)


@pytest.mark.spec("RFC 8520 10")
@pytest.mark.parametrize("rest", ["", " ", " reserved for later"])
def test_what_follows_a_space_is_passed_over(rest):
    assert decode_string(f"{URL}{rest}".encode()) == URL


@pytest.mark.parametrize(
    "data", [b"", b" " + URL.encode(), b"\xff\xfe", URL.encode() + b"\0", b"https://a/" + b"a" * 250]
)
def test_a_string_without_a_url_is_refused(data):
    with pytest.raises(DecodeError):
        decode_string(data)


@pytest.mark.spec("RFC 9238 3.1")
def test_the_record_of_a_code_is_found():
    assert parse_qr_code(CODE) == Label(URL)


@pytest.mark.spec("RFC 9238 3.1")
def test_a_field_separator_begins_anew():
    assert parse_qr_code(CODE.replace("B000Acme", "B000Other\x1f\x1cB000Acme")) == Label(URL)


@pytest.mark.spec("RFC 9238 3.2.4")
def test_a_query_is_taken_off_the_url_of_a_label():
    assert parse_qr_code(CODE.replace(URL, f"{URL}?device=4711")) == Label(URL)


@pytest.mark.spec("RFC 9238 3.2.5")
@pytest.mark.parametrize("mac", ["027700000001", "02770000FFFE00AB", "0277aaBB0001"])
def test_the_interface_on_a_label_is_read(mac):
    assert parse_qr_code(CODE.replace("B001", f"M06C{mac}\x1fB001")) == Label(URL, bytes.fromhex(mac))


@pytest.mark.spec("RFC 9238 3.2.5")
@pytest.mark.parametrize(
    "mac", ["02:77:00:00:00:01", "0277", "02770000000g", "0277000000010", " 27700000001", "٠" * 12]
)
def test_an_interface_that_is_none_is_refused(mac):
    with pytest.raises(DecodeError):
        parse_qr_code(CODE.replace("B001", f"M06C{mac}\x1fB001"))


def test_of_two_records_of_one_kind_the_first_counts():
    assert parse_qr_code(CODE.replace("\x1fB001", "\x1fM180https://evil.example/\x1fB001")).url == URL


def test_a_code_that_is_nothing_but_the_url_is_taken():
    assert parse_qr_code(f" {URL}\n") == Label(URL)


def test_a_record_at_the_end_needs_no_separator():
    assert parse_qr_code(f"[)>\x1e06\x1d12NM180{URL}\x1e\x04") == Label(URL)


@pytest.mark.parametrize(
    "text",
    ["", "hello", CODE.replace("M180", "M181"), CODE.replace("https", "http"), "[)>\x1e06\x1d12N", CODE + "x" * 4096,
     CODE.replace("\x1e06", "06")],
)  # fmt: skip
def test_a_code_without_a_mud_url_is_refused(text):
    with pytest.raises(DecodeError):
        parse_qr_code(text)
