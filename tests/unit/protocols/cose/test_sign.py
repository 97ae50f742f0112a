import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign
from thingstead.protocols.cose.sign import Signer

CLASSIC, QUANTUM = generate(KeyType.P256), generate(KeyType.ML_DSA_44)
ESP256, ML_DSA_44 = frozenset({AlgorithmId.ESP256}), frozenset({AlgorithmId.ML_DSA_44})
SIGNERS = [Signer(CLASSIC, AlgorithmId.ESP256, b"c"), Signer(QUANTUM, AlgorithmId.ML_DSA_44)]


@pytest.mark.spec("RFC 9052 4.1")
def test_each_signer_of_a_message_is_authenticated_by_itself():
    message = sign.decode(sign.sign(b"content", SIGNERS))
    assert [signature.headers.kid for signature in message.signatures] == [b"c", b""]
    first = sign.authenticate(message, CLASSIC.public, accept=ESP256)
    second = sign.authenticate(message, QUANTUM.public, accept=ML_DSA_44, index=1)
    assert (first.payload, first.signer, first.signature_id) == (b"content", CLASSIC.public, AlgorithmId.ESP256)
    assert (second.payload, second.signer, second.signature_id) == (b"content", QUANTUM.public, AlgorithmId.ML_DSA_44)


@pytest.mark.spec("RFC 9052 4.4")
def test_a_signature_of_another_key_index_or_aad_is_refused():
    data = sign.sign(b"content", SIGNERS, external_aad=b"this")
    sign.authenticate(data, CLASSIC.public, accept=ESP256, external_aad=b"this")
    with pytest.raises(AuthenticationError):
        sign.authenticate(data, generate(KeyType.P256).public, accept=ESP256, external_aad=b"this")
    with pytest.raises(AuthenticationError):
        sign.authenticate(data, CLASSIC.public, accept=ESP256, external_aad=b"that")
    with pytest.raises(UnsupportedError):
        sign.authenticate(data, CLASSIC.public, accept=ESP256, external_aad=b"this", index=1)
    for index in (-1, 2):
        with pytest.raises(DecodeError, match="expected a signature"):
            sign.authenticate(data, CLASSIC.public, accept=ESP256, external_aad=b"this", index=index)


@pytest.mark.spec("RFC 9052 2")
def test_a_detached_payload_is_covered():
    data = sign.sign(b"content", SIGNERS[:1], detached=True)
    assert sign.authenticate(data, CLASSIC.public, accept=ESP256, payload=b"content").payload == b"content"
    with pytest.raises(AuthenticationError):
        sign.authenticate(data, CLASSIC.public, accept=ESP256, payload=b"another")


@pytest.mark.spec("RFC 9052 4.1")
@pytest.mark.parametrize(
    "elements",
    [
        [b"", {}, b"", []],
        [b"", {}, b"", {}],
        [b"", {}, b"", b""],
        [b"", {}, "", [[b"", {}, b""]]],
        [b"", {}, b"", [[b"", {}]]],
        [b"", {}, b"", [[b"", {}, None]]],
        [b"", {}, b"", [{}]],
        [b"", {}, b"", [["", {}, b""]]],
        [b"", {}, b"", [[b"", {}, b""]] * 257],
        [b"\xa1\x04\x41\x61", {4: b""}, b"", [[b"", {}, b""]]],
    ],
)
def test_what_is_no_sign_message_is_refused(elements):
    with pytest.raises(DecodeError):
        sign.decode(codec.encode(elements))


@pytest.mark.spec("RFC 9052 3.1")
def test_a_critical_parameter_of_a_signer_is_obeyed_or_refused():
    data = codec.encode([b"", {}, b"", [[codec.encode({2: ["x"], "x": 1}), {}, b""]]])
    with pytest.raises(UnsupportedError):
        sign.decode(data)
    assert sign.decode(data, understood=frozenset({"x"})).signatures[0].headers.protected["x"] == 1


def test_nobody_signs_nothing():
    with pytest.raises(ValueError, match="at least one"):
        sign.sign(b"content", [])


def test_the_verified_type_cannot_be_made_by_hand():
    message = sign.decode(sign.sign(b"content", SIGNERS[:1]))
    with pytest.raises(TypeError, match="made by"):
        sign.AuthenticatedSign(message.headers, b"", -9, CLASSIC.public, b"", object())


@pytest.mark.spec("RFC 9052 4.1")
def test_a_signature_is_added_to_those_that_are_there():
    first = sign.sign(b"content", SIGNERS[:1], external_aad=b"this")
    both = sign.add(first, SIGNERS[1:], external_aad=b"this")
    assert sign.authenticate(both, CLASSIC.public, accept=ESP256, external_aad=b"this").payload == b"content"
    assert sign.authenticate(both, QUANTUM.public, accept=ML_DSA_44, index=1, external_aad=b"this").signature_id == -48
    with pytest.raises(AuthenticationError):
        sign.authenticate(both, QUANTUM.public, accept=ML_DSA_44, index=1)
    with pytest.raises(DecodeError, match="payload"):
        sign.add(first, SIGNERS[1:], payload=b"another")


@pytest.mark.spec("RFC 9052 4.1")
def test_signatures_that_were_made_apart_are_joined_each_signer_once():
    first, second = (sign.sign(b"content", [signer]) for signer in SIGNERS)
    both = sign.join(first, second)
    assert sign.authenticate(both, CLASSIC.public, accept=ESP256).payload == b"content"
    assert sign.authenticate(both, QUANTUM.public, accept=ML_DSA_44, index=1).signature_id == -48
    assert sign.join(both, second) == sign.join(both, first) == both


@pytest.mark.parametrize("other", [sign.sign(b"other", SIGNERS), sign.sign(b"content", SIGNERS, detached=True)])
def test_signatures_over_something_else_are_not_joined(other):
    with pytest.raises(AuthenticationError, match="something else"):
        sign.join(sign.sign(b"content", SIGNERS), other)
