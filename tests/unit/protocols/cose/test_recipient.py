import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import recipient

DIRECT = [b"", {1: -6}, b""]


def decoded(*entries):
    return recipient.decode(codec.decode(codec.encode(list(entries))), limits=codec.Limits(max_items=4))


@pytest.mark.spec("RFC 9053 6.1.1")
def test_one_direct_recipient_is_the_shared_key():
    recipient.require_direct(decoded(recipient.direct(b"k")))
    recipient.require_direct(decoded([b"", {1: -6}, None]))


@pytest.mark.spec("RFC 9053 6.1.1")
@pytest.mark.parametrize(
    "entries",
    [
        [DIRECT, DIRECT],
        [[b"", {1: -6}, b"x"]],
        [[codec.encode({1: -6}), {}, b""]],
        [[codec.encode({3: 0}), {1: -6}, b""]],
    ],
    ids=["two", "wrapped", "protected", "protecting"],
)
def test_a_direct_recipient_is_alone_and_empty(entries):
    with pytest.raises(DecodeError):
        recipient.require_direct(decoded(*entries))


@pytest.mark.spec("RFC 9052 8.5")
@pytest.mark.parametrize("alg", [-3, -10, -25, "direct"])
def test_another_way_to_the_key_is_refused(alg):
    for entries in ([[b"", {1: alg}, b""]], [DIRECT, [b"", {1: alg}, b""]], [[b"", {}, b""]]):
        with pytest.raises(UnsupportedError):
            recipient.require_direct(decoded(*entries))


@pytest.mark.spec("RFC 9052 5.1")
@pytest.mark.parametrize(
    "value", [[], {}, b"", [[b"", {}]], [{}], [[b"", {}, ""]], [["", {}, b""]], [[b"", {}, b"", [], 1]], [DIRECT] * 5]
)
def test_recipients_outside_the_grammar_are_refused(value):
    with pytest.raises(DecodeError):
        recipient.decode(value, limits=codec.Limits(max_items=4))


@pytest.mark.spec("RFC 9052 5.1")
def test_recipients_of_recipients_are_refused():
    with pytest.raises(UnsupportedError):
        decoded([b"", {1: -6}, b"", [DIRECT]])
