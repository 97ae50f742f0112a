import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp_signal import (
    Abort,
    BadCsmOptionError,
    Csm,
    Ping,
    Pong,
    Release,
    decode_signal,
    encode_signal,
)

SIGNALS = [
    Csm(65536, block_wise=True, max_token=64),
    Csm(),
    Ping(),
    Ping(custody=True),
    Pong(custody=True),
    Release(),
    Release(("coap+tcp://a", "coap+tcp://b"), 30),
    Release(hold_off=0),
    Abort(),
    Abort(9, "bad"),
]


def read(code, *options, before=None, payload=b""):
    return decode_signal(Message(code, options=list(options), payload=payload), before=before or Csm())


@pytest.mark.spec("RFC 8323 5")
@pytest.mark.parametrize("signal", SIGNALS, ids=repr)
def test_a_signal_is_read_as_it_was_written(signal):
    assert decode_signal(encode_signal(signal, b"t"), before=Csm()) == signal


@pytest.mark.spec("RFC 8323 5.3")
def test_a_second_csm_changes_only_what_it_says():
    before = Csm(5000, block_wise=True, max_token=20)
    assert read(Code.CSM, (2, b"\x10\x00"), before=before) == Csm(4096, block_wise=True, max_token=20)
    assert read(Code.CSM, (4, b"")) == Csm(1152, block_wise=True)


@pytest.mark.spec("RFC 8974 2.2.1")
@pytest.mark.parametrize(
    ("said", "length"), [(b"\x02", 20), (b"", 20), (b"\x08", 8), (b"\x01\x01\x0c", 65804), (b"\x01\x01\x0d", 65804)]
)
def test_a_token_length_below_the_base_value_counts_for_nothing_and_none_is_over_the_largest(said, length):
    assert read(Code.CSM, (6, said), before=Csm(max_token=20)).max_token == length


@pytest.mark.spec("RFC 8323 6")
@pytest.mark.parametrize(("csm", "takes"), [(Csm(1152, True), False), (Csm(1153, True), True), (Csm(9000), False)])
def test_bert_needs_block_wise_transfer_and_larger_messages(csm, takes):
    assert csm.takes_bert is takes


@pytest.mark.spec("RFC 8323 5.3")
@pytest.mark.parametrize("number", [1, 3, 9])
def test_an_unknown_critical_option_of_a_csm_is_named(number):
    with pytest.raises(BadCsmOptionError) as refused:
        read(Code.CSM, (number, b""))
    assert refused.value.number == number


@pytest.mark.spec("RFC 8323 5.2")
@pytest.mark.parametrize("code", [Code.PING, Code.PONG, Code.RELEASE, Code.ABORT])
def test_an_unknown_critical_option_of_another_signal_is_refused(code):
    with pytest.raises(UnsupportedError):
        read(code, (9, b""))


@pytest.mark.spec("RFC 8323 5.2")
@pytest.mark.parametrize(
    ("code", "option", "signal"),
    [
        (Code.CSM, (2, bytes(5)), Csm()),
        (Code.CSM, (4, b"x"), Csm()),
        (Code.CSM, (100, b""), Csm()),
        (Code.PING, (2, b"x"), Ping()),
        (Code.RELEASE, (4, bytes(4)), Release()),
        (Code.ABORT, (2, bytes(3)), Abort()),
    ],
)
def test_an_elective_option_that_is_unknown_or_too_long_is_passed_over(code, option, signal):
    assert read(code, option) == signal


@pytest.mark.parametrize("code", [0xE0, 0xE6, 0xFF])
def test_an_unknown_signal_is_refused(code):
    with pytest.raises(UnsupportedError):
        read(code)


def test_an_address_that_is_no_text_is_refused():
    with pytest.raises(DecodeError):
        read(Code.RELEASE, (2, b"\xff"))


def test_a_diagnostic_is_cut_and_never_trusted_to_be_text():
    assert read(Code.ABORT, payload=b"\xff" + b"a" * 1000).diagnostic == "\ufffd" + "a" * 255
