import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap import message as datagram
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.registry import Code


def read(data, **limits):
    reader = tcp.FrameReader(tcp.Limits(**limits))
    reader.receive(data)
    return reader.next_message()


@pytest.mark.spec("RFC 8323 3.2")
@pytest.mark.parametrize(
    ("message", "data"),
    [
        (Message(Code.CSM), "00e1"),
        (Message(Code.CONTENT, token=b"\x7f"), "01457f"),
        (Message(Code.GET, token=b"t", options=[(11, b"a")]), "210174b161"),
        (Message(Code.POST, payload=b"x"), "2002ff78"),
        (Message(Code.POST, payload=bytes(12)), "d00002ff" + "00" * 12),
        (Message(Code.GET, token=bytes(13)), "0d0100" + "00" * 13),
    ],
)
def test_a_message_is_written_as_the_standard_says(message, data):
    assert tcp.encode(message).hex() == data
    found = read(bytes.fromhex(data))
    assert found is not None
    assert (found.code, found.token, found.options, found.payload) == (
        message.code,
        message.token,
        message.options,
        message.payload,
    )
    assert (found.type, found.mid) == (MessageType.NON, 0)


@pytest.mark.spec("RFC 8323 3.2")
@pytest.mark.parametrize("size", [11, 12, 13, 267, 268, 269, 65803, 65804, 65805, 70000])
@pytest.mark.parametrize("token", [0, 8, 9, 12, 13, 268, 269])
def test_every_width_of_a_length_is_read_as_written(size, token):
    message = Message(Code.PUT, token=bytes(token), payload=bytes(size))
    found = read(tcp.encode(message), max_message=1 << 20)
    assert found is not None
    assert (len(found.token), len(found.payload)) == (token, size)


@pytest.mark.spec("RFC 8323 3.3")
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
def test_messages_are_found_however_the_stream_cuts_them(chunk):
    messages = [Message(Code.GET, token=bytes(n), payload=bytes(40 * n)) for n in (0, 1, 14, 3)]
    stream = b"".join(tcp.encode(message) for message in messages)
    reader = tcp.FrameReader(tcp.Limits())
    found = []
    for start in range(0, len(stream), chunk):
        reader.receive(stream[start : start + chunk])
        while (message := reader.next_message()) is not None:
            found.append((len(message.token), len(message.payload)))
    assert found == [(0, 0), (1, 40), (14, 560), (3, 120)]
    assert reader.held == 0


@pytest.mark.parametrize("data", ["", "d0", "e000", "f0000000", "0d", "0d01", "0e0100", "210174b1"])
def test_what_is_not_whole_is_waited_for(data):
    assert read(bytes.fromhex(data)) is None


@pytest.mark.spec("RFC 8323 3.2")
@pytest.mark.parametrize(
    "data",
    ["0f01", "df0001", "1001ff", "1001f0", "100141", "20014200", "1001d0", "100107"],
    ids=["token 15", "token 15 behind length", "marker", "delta 15", "value", "value 2", "delta cut", "value 7"],
)
def test_a_malformed_message_is_refused(data):
    with pytest.raises(DecodeError):
        read(bytes.fromhex(data))


@pytest.mark.spec("RFC 8323 5.3.1")
@pytest.mark.requirement("R-47")
@pytest.mark.parametrize("data", ["f0ffffffff01", "f00000000001", "0e01ffff", "ee0000" + "01ffff"])
def test_a_message_over_the_limit_is_refused_before_it_is_there(data):
    with pytest.raises(UnsupportedError):
        read(bytes.fromhex(data), max_message=65536 if data.startswith("f") else 1000)


def test_options_are_bounded():
    with pytest.raises(DecodeError):
        read(tcp.encode(Message(Code.GET, options=[(11, b"")] * 3)), message=datagram.Limits(max_options=2))


@pytest.mark.parametrize(
    "message", [Message(Code.GET, token=bytes(70000)), Message(Code.GET, options=[(9, b""), (1, b"")])]
)
def test_what_cannot_be_said_is_not_written(message):
    with pytest.raises(ValueError, match=r"token|behind"):
        tcp.encode(message)
