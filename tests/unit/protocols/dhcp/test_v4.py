import pytest

from tests.unit.protocols.dhcp.messages import MAC, URL, option4, v4
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.dhcp.v4 import Lease, Option, decode, decode_lease


def test_a_client_s_options_are_read():
    read = decode(v4(option4(53, b"\1"), b"\0", option4(161, URL), option4(12, b"lamp")))
    assert (read.mac, read.is_relayed) == (MAC, False)
    assert read.options == {53: b"\1", 161: URL, 12: b"lamp"}


@pytest.mark.spec("RFC 3396 7")
def test_an_option_in_parts_is_put_together():
    assert decode(v4(option4(161, URL[:9]), option4(161, URL[9:]))).options[Option.MUD_URL] == URL


@pytest.mark.spec("RFC 3396 5")
def test_options_go_on_in_the_fields_that_say_so():
    data = v4(
        option4(52, b"\3"), option4(161, URL[:5]), file=option4(161, URL[5:9]) + b"\xff", server=option4(161, URL[9:])
    )
    assert decode(data).options[Option.MUD_URL] == URL


def test_a_field_that_is_not_said_to_hold_options_is_not_read():
    assert Option.MUD_URL not in decode(v4(option4(52, b"\1"), server=option4(161, URL))).options
    assert Option.MUD_URL not in decode(v4(file=option4(161, URL))).options


def test_a_relayed_message_says_so():
    assert decode(v4(relay=b"\x0a\0\0\1")).is_relayed


def test_what_is_behind_the_end_is_padding():
    assert decode(v4() + option4(161, URL)).options == {}


@pytest.mark.parametrize("size", [0, 1, 239])
def test_a_message_that_was_cut_is_refused(size):
    with pytest.raises(DecodeError, match="magic cookie"):
        decode(v4(option4(161, URL))[:size])


def test_bootp_without_the_cookie_is_refused():
    data = bytearray(v4())
    data[236] ^= 1
    with pytest.raises(DecodeError, match="magic cookie"):
        decode(bytes(data))


@pytest.mark.parametrize("options", [b"\xa1", b"\xa1\x05abc", option4(52, b"\1")])
def test_an_option_that_reaches_beyond_its_field_is_refused(options):
    with pytest.raises(DecodeError, match="end within its field"):
        decode(v4(options, end=b"", file=b"\0" * 127 + b"\xa1"))


@pytest.mark.parametrize(("key", "value"), [("operation", 2), ("hardware", 6), ("size", 16), ("operation", 0)])
def test_a_server_s_message_and_another_link_are_refused(key, value):
    with pytest.raises(UnsupportedError, match="operation 1 of Ethernet"):
        decode(v4(**{key: value}))


def test_a_message_without_end_is_refused():
    with pytest.raises(DecodeError, match="at most 16384"):
        decode(v4(bytes(1 << 14)))


ACK, ADDRESS = option4(53, b"\5"), bytes([192, 168, 1, 30])


@pytest.mark.spec("RFC 2131 4.3.1")
def test_an_address_that_a_server_gives_is_read_with_whom_it_is_given_to():
    assert decode_lease(v4(ACK, operation=2, given=ADDRESS)) == Lease(MAC, ADDRESS)


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ((ACK,), {"operation": 1}),
        ((ACK,), {"hardware": 6}),
        ((ACK,), {"given": bytes(4)}),
        ((option4(53, b"\2"),), {}),
        ((option4(53, b"\6"),), {}),
        ((option4(53, b"\5\5"),), {}),
        ((), {}),
    ],
    ids=["a client's", "another link", "no address", "an offer", "a refusal", "two kinds", "no kind"],
)
def test_what_gives_no_address_is_no_lease(options, fields):
    with pytest.raises(UnsupportedError):
        decode_lease(v4(*options, **{"operation": 2, "given": ADDRESS} | fields))


def test_a_lease_that_was_cut_is_refused():
    with pytest.raises(DecodeError, match="end within its field"):
        decode_lease(v4(b"\x35\5\5", operation=2, given=ADDRESS, end=b""))
