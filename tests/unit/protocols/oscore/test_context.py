import json
import tracemalloc
from pathlib import Path

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import StateError, UnsupportedError
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.derivation import KeyDerivation
from thingstead.protocols.oscore.option import MAX_PARTIAL_IV
from thingstead.secret import Secret

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "oscore_rfc8613_appendix_c.json").read_text())


def derive(sender_id=b"\x01", recipient_id=b"\x02", **options):
    return SecurityContext.derive(Secret(bytes(16)), sender_id=sender_id, recipient_id=recipient_id, **options)


@pytest.mark.spec("RFC 8613 3.2.1")
@pytest.mark.parametrize("vector", VECTORS["derivations"], ids=lambda vector: vector["id"])
def test_keys_iv_and_nonces_come_out_as_in_appendix_c(vector):
    id_context = None if vector["id_context"] is None else bytes.fromhex(vector["id_context"])
    secret = Secret(bytes.fromhex(vector["master_secret"]))
    salt = bytes.fromhex(vector["master_salt"])
    sender_id, recipient_id = bytes.fromhex(vector["sender_id"]), bytes.fromhex(vector["recipient_id"])
    keys = KeyDerivation(secret, master_salt=salt, id_context=id_context, digest_id=AlgorithmId.SHA_256)
    assert keys.derive("Key", id_=sender_id, algorithm_id=10, size=16).hex() == vector["sender_key"]
    assert keys.derive("Key", id_=recipient_id, algorithm_id=10, size=16).hex() == vector["recipient_key"]
    assert keys.derive("IV", id_=b"", algorithm_id=10, size=13).hex() == vector["common_iv"]
    context = SecurityContext.derive(
        secret, master_salt=salt, id_context=id_context, sender_id=sender_id, recipient_id=recipient_id
    )
    assert context.sender.nonce_base.to_bytes(13, "big").hex() == vector["sender_nonce"]
    assert context.recipient.nonce_base.to_bytes(13, "big").hex() == vector["recipient_nonce"]
    assert (context.sender.sender_id, context.recipient.recipient_id) == (sender_id, recipient_id)


@pytest.mark.spec("RFC 8613 3.3")
@pytest.mark.parametrize(
    ("ids", "aead_id"),
    [((b"a", b"a"), 10), ((b"", b""), 10), ((bytes(8), b"a"), 10), ((b"a", bytes(8)), 10), ((bytes(7), b"a"), 24)],
    ids=["equal", "both empty", "sender too long", "recipient too long", "too long for a nonce of 12"],
)
def test_identifiers_that_make_nonces_meet_are_refused(ids, aead_id):
    with pytest.raises(ValueError, match="identifiers"):
        derive(*ids, aead_id=aead_id)


@pytest.mark.parametrize("options", [{"aead_id": -7}, {"aead_id": 99}, {"digest_id": AlgorithmId.SHA_384}])
def test_an_algorithm_of_another_kind_is_refused(options):
    with pytest.raises(UnsupportedError):
        derive(**options)


@pytest.mark.spec("RFC 8613 3.2.1")
def test_every_input_parameter_makes_another_context():
    variants = [
        derive(),
        derive(master_salt=b"s"),
        derive(id_context=b""),
        derive(id_context=b"c"),
        derive(aead_id=30),
        derive(digest_id=AlgorithmId.SHA_512),
    ]
    assert len({context.sender.nonce_base for context in variants}) == len(variants)


@pytest.mark.spec("RFC 8613 7.2.1")
def test_the_last_sequence_number_is_the_end_of_a_context():
    numbers = SequenceNumbers(MAX_PARTIAL_IV, reserved=1 << 50)
    assert numbers.take() == MAX_PARTIAL_IV
    with pytest.raises(StateError):
        numbers.take()


@pytest.mark.spec("RFC 8613 B.1.1")
def test_a_reserve_never_shrinks():
    numbers = SequenceNumbers(10, reserved=20)
    numbers.reserve(15)
    assert numbers.reserved == 20
    assert [numbers.take() for _ in range(3)] == [10, 11, 12]


def test_keys_do_not_show():
    context = derive()
    shown = repr(context) + repr(context.sender) + repr(context.recipient)
    assert "Key" not in shown
    assert "x9" not in shown


def test_an_idle_context_is_small():
    derive()
    tracemalloc.start()
    kept = [derive(sender_id=bytes((number, 1))) for number in range(50)]
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size / len(kept) < 2000
