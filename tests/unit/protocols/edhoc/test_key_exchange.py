import pytest

from tests.unit.protocols.edhoc.party import handshake, party
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import AuthenticationError, DecodeError, ProtocolError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import METHODS, Authentication
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.key_exchange import GX, OwnX, answer_g_x, make_x, read_g_x, take_g_y
from thingstead.protocols.edhoc.message import Limits, encode_message_1
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.edhoc.suite import HYBRID, SUITES, cipher_suite
from thingstead.secret import Secret

QUANTUM = cipher_suite(-21)
LARGE = Limits(max_message=8160)
DRAFT = "draft-ietf-lake-pqsuites-01"


def parties():
    credential_i, key_i = party(QUANTUM, Authentication.SIGNATURE, b"i")
    credential_r, key_r = party(QUANTUM, Authentication.SIGNATURE, b"r")
    offer = Initiator(
        method=0,
        suites=(QUANTUM.number,),
        credential=credential_i,
        key=key_i,
        connection_id=b"\x01",
        ephemeral=generate,
        limits=LARGE,
    )
    acceptance = Responder(methods=frozenset({0}), suites=(QUANTUM.number,), ephemeral=generate, limits=LARGE)
    return offer, acceptance, (credential_i, key_i), (credential_r, key_r)


@pytest.mark.spec(f"{DRAFT} 3")
def test_the_encapsulation_key_is_g_x_and_its_ciphertext_g_y():
    x = generate(KeyType.ML_KEM_1024)
    g_y, shared, _agree = answer_g_x(QUANTUM, GX(x.public), generate)
    assert len(g_y) == QUANTUM.point_size
    assert take_g_y(QUANTUM, OwnX(x), g_y)[0] == shared
    assert take_g_y(QUANTUM, OwnX(generate(KeyType.ML_KEM_1024)), g_y)[0] != shared


@pytest.mark.spec(f"{DRAFT} 3")
def test_method_0_ends_in_the_same_keys_whose_size_is_that_of_the_suite():
    initiated, responded, messages = handshake(QUANTUM, 0, limits=LARGE)
    ours, theirs = initiated.oscore(), responded.oscore()
    assert ours.master_secret == theirs.master_secret
    assert len(ours.master_secret) == 32
    assert (ours.aead_id, ours.digest_id) == (3, -43)
    g_x = codec.decode_sequence(messages[0])[2]
    assert len(g_x) == 1568
    assert len(codec.decode(messages[1])) == 1568 + 1 + 10 + 3 + 4627


@pytest.mark.spec(f"{DRAFT} 2")
def test_the_method_with_a_shared_key_has_it_too():
    shared = SharedCredential(b"\xa1\x04\x41\x10", Secret(bytes(16)), b"\x61i", b"\x61r", QUANTUM.digest)
    offer = PskInitiator(
        suites=(QUANTUM.number,), shared=shared, connection_id=b"\x01", ephemeral=generate, limits=LARGE
    )
    message_1, waiting_2 = offer.message_1()
    acceptance = PskResponder(suites=(QUANTUM.number,), ephemeral=generate, limits=LARGE)
    message_2, waiting_3 = acceptance.receive(message_1).message_2(b"\x02")
    message_3, waiting_4 = waiting_2.receive(message_2).message_3()
    message_4, responded = waiting_3.receive(message_3).authenticate(shared)[0].message_4()
    assert waiting_4.receive(message_4).oscore().master_secret == responded.oscore().master_secret


@pytest.mark.spec(f"{DRAFT} 6.1")
@pytest.mark.parametrize("method", [1, 2, 3])
def test_methods_with_static_keys_are_refused_on_both_sides(method):
    offer, _acceptance, (credential_i, key_i), _r = parties()
    with pytest.raises(UnsupportedError, match="Diffie-Hellman"):
        Initiator(
            method=method,
            suites=offer.suites,
            credential=credential_i,
            key=key_i,
            connection_id=b"\x01",
            ephemeral=generate,
        )
    message_1 = encode_message_1(method, offer.suites, generate(KeyType.ML_KEM_1024).public.x, c_i=b"\x01", ead_1=b"")
    acceptance = Responder(methods=frozenset(METHODS), suites=offer.suites, ephemeral=generate)
    with pytest.raises(UnsupportedError, match="Diffie-Hellman"):
        acceptance.receive(message_1)


@pytest.mark.spec(f"{DRAFT} 6.1")
def test_no_static_key_agrees_with_a_ciphertext():
    x = generate(KeyType.ML_KEM_1024)
    g_y, _shared, agree_with_y = answer_g_x(QUANTUM, GX(x.public), generate)
    _same, agree_with_g_y = take_g_y(QUANTUM, OwnX(x), g_y)
    static = generate(KeyType.P256)
    with pytest.raises(UnsupportedError):
        agree_with_y(static.public)
    with pytest.raises(UnsupportedError):
        agree_with_g_y(static)


@pytest.mark.spec("FIPS 203 7.2")
@pytest.mark.parametrize("g_x", [b"", bytes(1567), bytes(1569), b"\xff" * 1568, bytes(32)], ids=len)
def test_a_g_x_that_is_no_encapsulation_key_is_refused(g_x):
    _offer, acceptance, *_ = parties()
    message_1 = encode_message_1(0, (QUANTUM.number,), g_x, c_i=b"\x01", ead_1=b"")
    with pytest.raises(DecodeError):
        acceptance.receive(message_1)


@pytest.mark.spec("FIPS 203 7.3")
@pytest.mark.parametrize("size", [0, 1, 32, 1567])
def test_a_message_2_that_is_shorter_than_a_ciphertext_is_refused(size):
    offer, *_ = parties()
    _message_1, waiting = offer.message_1()
    with pytest.raises(DecodeError):
        waiting.receive(codec.encode(bytes(size)))


@pytest.mark.requirement("R-27")
def test_a_changed_ciphertext_leads_to_a_key_that_nobody_shares():
    offer, acceptance, _i, (credential_r, key_r) = parties()
    message_1, waiting = offer.message_1()
    message_2, _waiting_3 = acceptance.receive(message_1).message_2(b"\x02", credential_r, key=key_r)
    changed = bytearray(message_2)
    changed[700] ^= 1
    with pytest.raises((ProtocolError, AuthenticationError)):
        waiting.receive(bytes(changed)).authenticate(credential_r)


@pytest.mark.parametrize("number", SUITES)
def test_classical_suites_agree(number):
    suite = cipher_suite(number)
    x, static = generate(suite.curve), generate(suite.curve)
    y = generate(suite.curve)
    g_y, shared, agree_with_y = answer_g_x(suite, GX(x.public), lambda _curve: y)
    received, agree_with_g_y = take_g_y(suite, OwnX(x), g_y)
    assert g_y == y.public.x
    assert received == shared
    assert agree_with_g_y(static) == agree_with_y(static.public)


def test_keys_of_one_kind_do_not_do_what_the_other_does():
    kem, curve = generate(KeyType.ML_KEM_1024), generate(KeyType.P256)
    for misuse in (
        lambda: kem.agree(kem.public),
        lambda: kem.sign(b"", -50),
        curve.public.encapsulate,
        lambda: curve.decapsulate(bytes(1568)),
        lambda: kem.agree(curve.public),
    ):
        with pytest.raises(UnsupportedError):
            misuse()
    with pytest.raises(DecodeError):
        PublicKey(KeyType.ML_KEM_1024, bytes(32))


# --- ECDH and ML-KEM together


BOTH = cipher_suite(HYBRID)


def exchanged():
    x = make_x(BOTH, generate)
    g_y, shared, agree_with_y = answer_g_x(BOTH, read_g_x(BOTH, x.g_x), generate)
    return x, g_y, shared, agree_with_y


@pytest.mark.requirement("R-87")
def test_the_hybrid_secret_is_that_of_the_curve_with_that_of_the_kem_behind_it():
    x, g_y, shared, agree_with_y = exchanged()
    received, agree_with_g_y = take_g_y(BOTH, x, g_y)
    assert received == shared
    assert (len(x.g_x), len(g_y), len(shared.reveal())) == (1600, 1600, 64)
    assert x.kem is not None
    public = PublicKey.from_x(KeyType.P256, g_y[:32])
    assert shared.reveal() == x.key.agree(public).reveal() + x.kem.decapsulate(g_y[32:]).reveal()
    static = generate(KeyType.P256)
    assert agree_with_g_y(static) == agree_with_y(static.public)


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("broken", ["the curve", "the KEM"])
def test_whoever_breaks_one_of_the_two_has_not_the_secret(broken):
    """A quantum computer finds the private key of a point, a flaw that of a KEM; the other one is still missing."""
    x, g_y, shared, _ = exchanged()
    assert x.kem is not None
    curve, kem = (x.key, generate(KeyType.ML_KEM_1024)) if broken == "the curve" else (generate(KeyType.P256), x.kem)
    guessed, _ = take_g_y(BOTH, OwnX(curve, kem), g_y)
    assert guessed != shared


@pytest.mark.requirement("R-87")
def test_the_method_of_a_join_ends_in_the_same_keys_of_256_bits():
    initiated, responded, messages = handshake(BOTH, 3)
    ours, theirs = initiated.oscore(), responded.oscore()
    assert ours.master_secret == theirs.master_secret
    assert (len(ours.master_secret.reveal()), ours.aead_id, ours.digest_id) == (32, 3, -44)
    assert max(len(one) for one in messages) < Limits().max_message


def hybrid_parties():
    credential_i, key_i = party(BOTH, Authentication.STATIC_DH, b"i")
    credential_r, key_r = party(BOTH, Authentication.STATIC_DH, b"r")
    offer = Initiator(
        method=3, suites=(HYBRID,), credential=credential_i, key=key_i, connection_id=b"\x01", ephemeral=generate
    )
    return offer, Responder(methods=frozenset({3}), suites=(HYBRID,), ephemeral=generate), credential_r, key_r


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("place", [5, 40, 700, 1590])
def test_a_changed_part_of_message_2_ends_the_hybrid_handshake(place):
    offer, acceptance, credential_r, key_r = hybrid_parties()
    message_1, waiting = offer.message_1()
    message_2, _ = acceptance.receive(message_1).message_2(b"\x02", credential_r, key=key_r)
    changed = bytearray(message_2)
    changed[place] ^= 1
    with pytest.raises((ProtocolError, AuthenticationError)):
        waiting.receive(bytes(changed)).authenticate(credential_r)


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("place", [10, 40, 1500])
def test_a_changed_part_of_message_1_ends_it_too(place):
    offer, acceptance, credential_r, key_r = hybrid_parties()
    message_1, waiting = offer.message_1()
    changed = bytearray(message_1)
    changed[place] ^= 1

    def go_on():
        message_2, _ = acceptance.receive(bytes(changed)).message_2(b"\x02", credential_r, key=key_r)
        return waiting.receive(message_2).authenticate(credential_r)

    with pytest.raises((ProtocolError, AuthenticationError)):
        go_on()


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("size", [0, 31, 32, 1568, 1599, 1601])
def test_a_g_x_without_its_whole_other_half_is_refused(size):
    point = generate(KeyType.P256).public.x
    _, acceptance, *_ = hybrid_parties()
    message_1 = encode_message_1(3, (HYBRID,), (point + bytes(2000))[:size], c_i=b"\x01", ead_1=b"")
    with pytest.raises(DecodeError):
        acceptance.receive(message_1)


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("size", [0, 32, 1599])
def test_a_g_y_without_its_whole_other_half_is_refused(size):
    offer, *_ = hybrid_parties()
    _, waiting = offer.message_1()
    with pytest.raises(DecodeError):
        waiting.receive(codec.encode((generate(KeyType.P256).public.x + bytes(2000))[:size]))
