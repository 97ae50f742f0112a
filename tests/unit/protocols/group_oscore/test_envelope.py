from typing import Any

import pytest

from tests.unit.protocols.group_oscore.group import GM_CREDENTIAL, context, group
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.envelope import (
    Envelope,
    external_aad,
    open_group,
    open_pairwise,
    seal_group,
    seal_pairwise,
)

SIGNATURE, TAG = 64, 8


def envelope(sender, **changes):
    """A request by the switch, as `sender`'s context sees it."""
    fields: dict[str, Any] = {
        "request_kid": b"sw",
        "request_piv": b"\5",
        "request_kid_context": b"g1",
        "option": b"\x39",
        "piv": b"\5",
        "id_piv": b"sw",
        "is_request": True,
    }
    return Envelope(sender, **(fields | changes))


def opened(payload, *, by, **changes):
    return open_group(envelope(by, **changes), payload, sender=by.members[b"sw"])


@pytest.mark.spec("RFC 10021 3.4")
def test_the_external_aad_holds_null_for_what_is_unset_and_credentials_as_issued():
    algorithms = GroupAlgorithms(aead_id=None, agreement_id=None, signature_id=AlgorithmId.ED25519)
    switch = context("switch", algorithms=algorithms)
    envelope = Envelope(
        switch,
        request_kid=b"sw",
        request_piv=b"\5",
        request_kid_context=b"g1",
        option=b"\x39",
        piv=b"\5",
        id_piv=b"sw",
        is_request=True,
    )
    issued = switch.own.credential.original
    assert codec.decode(external_aad(envelope, switch.own.credential)) == [
        *(1, [None, 10, -19, None], b"sw", b"\5", b"", b"g1", b"\x39", issued, GM_CREDENTIAL)
    ]
    assert codec.encode(codec.decode_prefix(issued)[0]) != issued[: codec.decode_prefix(issued)[1]]


# What one message is sealed with, and another value of each: everything is in the AAD, the nonce or the keystream.
CHANGES = [
    {"request_kid": b"ha"},
    {"request_piv": b"\6"},
    {"request_kid_context": b"g2"},
    {"option": b"\x38"},
    {"piv": b"\6"},
    {"id_piv": b"ha"},
]


@pytest.mark.spec("RFC 10021 3.4")
@pytest.mark.parametrize("changed", [*CHANGES, {"is_request": False}], ids=str)
def test_a_group_message_opens_under_its_own_circumstances_only(changed):
    switch, hall, _ = group()
    payload = seal_group(envelope(switch), b"on")
    assert opened(payload, by=hall) == b"on"
    with pytest.raises(AuthenticationError):
        opened(payload, by=hall, **changed)


@pytest.mark.spec("RFC 10021 7.4")
@pytest.mark.parametrize("changed", CHANGES, ids=str)
def test_a_pairwise_message_opens_under_its_own_circumstances_only(changed):
    switch, hall, _ = group()
    payload = seal_pairwise(envelope(switch), b"on", recipient=switch.members[b"ha"])
    assert open_pairwise(envelope(hall), payload, sender=hall.members[b"sw"]) == b"on"
    with pytest.raises(AuthenticationError):
        open_pairwise(envelope(hall, **changed), payload, sender=hall.members[b"sw"])


@pytest.mark.spec("RFC 10021 4.1")
@pytest.mark.parametrize("size", [0, 1, SIGNATURE - 1, SIGNATURE])
def test_a_payload_with_no_room_for_a_countersignature_is_refused(size):
    with pytest.raises(DecodeError, match="64 bytes of countersignature"):
        opened(bytes(size), by=context("hall"))


@pytest.mark.spec("RFC 10021 7.4")
@pytest.mark.parametrize("size", [0, TAG - 1])
def test_a_pairwise_payload_with_no_room_for_a_tag_is_refused(size):
    hall = context("hall")
    with pytest.raises(DecodeError):
        open_pairwise(envelope(hall), bytes(size), sender=hall.members[b"sw"])


@pytest.mark.spec("RFC 10021 4.2")
def test_one_countersignature_never_looks_the_same_twice():
    """Without the mask whoever listens could tell by its signature that two messages are one."""
    algorithms = GroupAlgorithms(group_encryption_id=AlgorithmId.A128CTR, signature_id=AlgorithmId.ED25519)
    switch = context("switch", algorithms=algorithms)
    masks = {seal_group(envelope(switch, is_request=told), b"")[-SIGNATURE:] for told in (True, False)}
    assert len(masks) == 2


@pytest.mark.spec("RFC 10021 6.2")
def test_nothing_is_decrypted_that_is_not_signed_by_its_sender():
    """With AES-CTR, a changed ciphertext would open to a changed command."""
    algorithms = GroupAlgorithms(group_encryption_id=AlgorithmId.A128CTR, signature_id=AlgorithmId.ED25519)
    switch, hall, _ = group(algorithms=algorithms)
    payload = seal_group(envelope(switch), b"on")
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        with pytest.raises(AuthenticationError):
            opened(changed, by=hall)
    with pytest.raises(AuthenticationError):
        open_group(envelope(hall), payload, sender=hall.members[b"st"])


@pytest.mark.spec("RFC 10021 7.4")
def test_a_message_of_one_mode_does_not_open_in_the_other():
    switch, hall, _ = group()
    signed = seal_group(envelope(switch), b"on")
    between_two = seal_pairwise(envelope(switch), bytes(SIGNATURE), recipient=switch.members[b"ha"])
    with pytest.raises(AuthenticationError):
        open_pairwise(envelope(hall), signed, sender=hall.members[b"sw"])
    with pytest.raises(AuthenticationError):
        opened(between_two, by=hall)


@pytest.mark.spec("RFC 10021 5.4")
@pytest.mark.parametrize(
    ("algorithms", "step"),
    [
        (GroupAlgorithms(aead_id=None), lambda made, peer: seal_pairwise(made, b"on", recipient=peer)),
        (GroupAlgorithms(aead_id=None), lambda made, peer: open_pairwise(made, bytes(80), sender=peer)),
        (GroupAlgorithms(signature_id=None), lambda made, _peer: seal_group(made, b"on")),
        (GroupAlgorithms(signature_id=None), lambda made, peer: open_group(made, bytes(80), sender=peer)),
    ],
)
def test_a_mode_that_the_group_has_not_seals_and_opens_nothing(algorithms, step):
    hall = context("hall", algorithms=algorithms)
    with pytest.raises(UnsupportedError):
        step(envelope(hall), hall.members[b"sw"])
