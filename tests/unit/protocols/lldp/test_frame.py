import struct

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.lldp.frame import decode

IANA = b"\0\0\x5e"


def tlv(kind, value):
    return struct.pack("!H", kind << 9 | len(value)) + value


HEAD = tlv(1, b"\4" + bytes(6)) + tlv(2, b"\5eth0") + tlv(3, struct.pack("!H", 120))
END = tlv(0, b"")


def test_what_organizations_define_is_read():
    read = decode(HEAD + tlv(5, b"lamp") + tlv(127, IANA + b"\1https://a.example/") + END + bytes(20))
    assert (read.ttl, read.of(IANA, 1)) == (120, b"https://a.example/")


def test_the_first_of_a_kind_counts():
    data = HEAD + tlv(127, IANA + b"\1one") + tlv(127, IANA + b"\1two") + END
    assert decode(data).of(IANA, 1) == b"one"


def test_another_organization_or_subtype_is_not_it():
    read = decode(HEAD + tlv(127, b"\0\x80\xc2\1x") + tlv(127, IANA + b"\2x") + END)
    assert (read.of(IANA, 1), len(read.organizational)) == (None, 2)


def test_what_is_behind_the_end_is_padding():
    assert decode(HEAD + END + tlv(127, IANA + b"\1x")).of(IANA, 1) is None


def test_an_organization_s_tlv_without_a_subtype_says_nothing():
    assert decode(HEAD + tlv(127, IANA) + END).organizational == ()


@pytest.mark.parametrize("data", [b"", END, HEAD[9:], tlv(2, b"x") + HEAD, HEAD[:-4] + END])
def test_what_must_come_first_has_to(data):
    with pytest.raises(DecodeError, match="first"):
        decode(data)


@pytest.mark.parametrize("data", [HEAD + b"\xfe\x40abc", HEAD + b"\xff\xff", tlv(1, b"abc")[:-1]])
def test_a_length_beyond_the_frame_is_refused(data):
    with pytest.raises(DecodeError, match="octets, got"):
        decode(data)
