import pytest

from tests.unit.protocols.dhcp.messages import DUID_LL, DUID_LLT, MAC, URL, option6, relayed6, v6
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.dhcp.v6 import MessageType, Option, decode

OTHER = bytes.fromhex("027700000002")


@pytest.mark.parametrize("duid", [DUID_LL, DUID_LLT])
@pytest.mark.parametrize("kind", [1, 3, 4, 5, 6, 11])
def test_a_client_s_options_are_read(duid, kind):
    read = decode(v6(option6(1, duid), option6(112, URL), kind=kind))
    assert (read.type, read.mac, read.is_relayed) == (kind, MAC, False)
    assert read.options[Option.MUD_URL] == URL


@pytest.mark.spec("RFC 8415 19.1")
def test_a_relayed_message_is_found_inside():
    read = decode(relayed6(relayed6(v6(option6(1, DUID_LL), option6(112, URL)))))
    assert (read.type, read.is_relayed, read.mac) == (MessageType.SOLICIT, True, MAC)
    assert read.options[Option.MUD_URL] == URL


@pytest.mark.spec("RFC 6939 4")
def test_the_relay_on_the_client_s_link_knows_its_address():
    inner = relayed6(v6(option6(1, DUID_LL)), option6(79, b"\0\1" + OTHER))
    assert decode(relayed6(inner, option6(79, b"\0\1" + b"\xee" * 6))).mac == OTHER


@pytest.mark.parametrize("duid", [b"", b"\0\2\0\1" + MAC, b"\0\3\0\6" + MAC, DUID_LL + b"x", b"\0\1\0\1" + MAC])
def test_an_identifier_that_was_not_made_from_an_interface_says_nothing_of_one(duid):
    assert decode(v6(option6(1, duid))).mac == b""


@pytest.mark.parametrize("option", [b"", b"\0\6" + MAC, b"\0\1" + MAC + b"x"])
def test_a_relay_s_word_of_another_link_counts_for_nothing(option):
    assert decode(relayed6(v6(option6(1, DUID_LL)), option6(79, option))).mac == MAC


def test_of_two_options_of_one_code_the_first_counts():
    assert decode(v6(option6(112, URL), option6(112, b"https://evil.invalid/"))).options[112] == URL


@pytest.mark.parametrize("data", [b"", b"\1", b"\1\0\0", b"\x0c" + bytes(32), v6(b"\0"), v6(b"\0\x70\0\5abcd")])
def test_a_message_that_was_cut_is_refused(data):
    with pytest.raises(DecodeError):
        decode(data)


@pytest.mark.parametrize("kind", [0, 2, 7, 10, 13, 255])
def test_a_server_s_message_is_refused(kind):
    with pytest.raises(UnsupportedError, match="none of a client"):
        decode(v6(kind=kind))


def test_a_relayed_message_that_holds_none_is_refused():
    with pytest.raises(DecodeError, match="to hold one"):
        decode(bytes([12]) + bytes(33))


@pytest.mark.spec("RFC 8415 19.1.2")
def test_relays_without_end_are_refused():
    data = v6()
    for _ in range(9):
        data = relayed6(data)
    with pytest.raises(DecodeError, match="at most 8 relays"):
        decode(data)
