import pytest

from tests.unit.protocols.group_oscore.group import DONE, ON, context, group, identity, option_of, with_option
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ReplayError,
    StateError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.context import Credential
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
    unprotect_group_response,
)
from thingstead.protocols.oscore.option import OscoreOption
from thingstead.protocols.oscore.protection import FreshnessError, read_option
from thingstead.protocols.oscore.replay import ReplayWindow


def with_payload(message, payload):
    return Message(message.code, message.type, message.mid, message.token, message.options, payload)


@pytest.mark.spec("RFC 10021 6")
@pytest.mark.parametrize("signature_id", [-9, -7, -19, -8])
@pytest.mark.parametrize("group_encryption_id", [10, 30, 1, 3, 24, AlgorithmId.A128CTR])
def test_one_message_is_read_by_all_and_each_answer_names_its_sender(signature_id, group_encryption_id):
    algorithms = GroupAlgorithms(signature_id=signature_id, group_encryption_id=group_encryption_id)
    switch, *lamps = group(algorithms=algorithms)
    message, switch_binding = protect_group_request(ON, context=switch)
    for lamp in lamps:
        request, binding = unprotect_group_request(message, context=lamp)
        assert (request, binding.peer, binding.is_group_mode) == (ON, lamp.members[b"sw"], True)
        response = protect_group_response(DONE, binding=binding)
        received, sender = unprotect_group_response(response, binding=switch_binding)
        assert (received, sender.kid) == (DONE, lamp.own.sender_id)


@pytest.mark.spec("RFC 10021 7")
@pytest.mark.parametrize("signature_id", [-9, -19])
def test_a_pairwise_message_is_read_by_its_recipient_alone(signature_id):
    switch, hall, stairs = group(algorithms=GroupAlgorithms(signature_id=signature_id))
    message, switch_binding = protect_group_request(ON, context=switch, to=b"ha")
    assert not option_of(message).group
    with pytest.raises(AuthenticationError):
        unprotect_group_request(message, context=stairs)
    request, binding = unprotect_group_request(message, context=hall)
    assert request == ON
    received, sender = unprotect_group_response(protect_group_response(DONE, binding=binding), binding=switch_binding)
    assert (received, sender.kid) == (DONE, b"ha")


def test_an_option_that_was_read_already_is_not_read_again():
    switch, hall, _ = group()
    message, _ = protect_group_request(ON, context=switch)
    assert unprotect_group_request(message, context=hall, option=read_option(message))[0] == ON


@pytest.mark.spec("RFC 8613 8.4")
def test_a_request_inside_a_response_is_refused():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(ON, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    hall.own_group_cipher = _Wrong(hall.own_group_cipher, b"\x01")
    with pytest.raises(DecodeError, match="response inside"):
        unprotect_group_response(protect_group_response(DONE, binding=binding), binding=switch_binding)


@pytest.mark.spec("RFC 10021 3.2")
def test_requests_name_the_group_and_responses_their_sender():
    switch, hall, _ = group()
    message, _ = protect_group_request(ON, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    first, second = (protect_group_response(DONE, binding=binding) for _ in range(2))
    assert option_of(message) == OscoreOption(b"\0", b"sw", b"g1", group=True)
    assert option_of(first) == OscoreOption(None, b"ha", group=True)
    assert option_of(second) == OscoreOption(b"\0", b"ha", group=True)


@pytest.mark.spec("RFC 10021 6.2")
@pytest.mark.requirement("R-65")
@pytest.mark.parametrize("signature_id", [-9, -19])
def test_a_captured_member_cannot_pose_as_another(signature_id):
    switch, hall, stairs = group(algorithms=GroupAlgorithms(signature_id=signature_id))
    # All that the hall lamp holds, under the name of the switch: right keys, own signature.
    captured = context("hall", algorithms=GroupAlgorithms(signature_id=signature_id))
    captured.own = type(captured.own)(b"sw", switch.own.credential, captured.own.key, captured.own.sequence)
    captured.own_group_cipher = hall.group_cipher_of(hall.members[b"sw"])
    forged, _ = protect_group_request(ON, context=captured)
    with pytest.raises(AuthenticationError) as refused:
        unprotect_group_request(forged, context=stairs)
    assert refused.value.reason == "unauthenticated"
    stairs.members[b"sw"].window.check(0)


@pytest.mark.spec("RFC 10021 7.4")
@pytest.mark.requirement("R-65")
def test_a_captured_member_cannot_pose_as_another_in_pairwise_mode_either():
    _, hall, stairs = group()
    message, _ = protect_group_request(ON, context=hall, to=b"st")
    option = option_of(message)
    option.kid = b"sw"
    with pytest.raises(AuthenticationError):
        unprotect_group_request(with_option(message, option), context=stairs)


@pytest.mark.spec("RFC 10021 6.4")
@pytest.mark.requirement("R-65")
def test_a_captured_member_cannot_answer_for_another():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(ON, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    response = protect_group_response(DONE, binding=binding)
    option = option_of(response)
    option.kid = b"st"
    with pytest.raises(AuthenticationError):
        unprotect_group_response(with_option(response, option), binding=switch_binding)


@pytest.mark.spec("RFC 10021 12.2")
@pytest.mark.requirement("R-63")
def test_a_leaver_reads_nothing_later():
    rest = ("switch", "stairs")
    switch, stairs = (context(name, rest, gid=b"g2", secret=bytes(15) + b"\1") for name in rest)
    leaver = context("hall")
    message, switch_binding = protect_group_request(ON, context=switch)
    with pytest.raises(UntrustedError):
        unprotect_group_request(message, context=leaver)
    leaver.gid = b"g2"
    with pytest.raises(AuthenticationError):
        unprotect_group_request(message, context=leaver)
    _, binding = unprotect_group_request(message, context=stairs)
    leaver_binding = type(switch_binding)(
        leaver, kid=b"sw", partial_iv=b"\0", is_group_mode=True, peer=None, observe=None, is_nonce_free=False
    )
    with pytest.raises(AuthenticationError):
        unprotect_group_response(protect_group_response(DONE, binding=binding), binding=leaver_binding)


@pytest.mark.spec("RFC 10021 12.2")
@pytest.mark.requirement("R-63")
def test_a_leaver_is_not_believed_later():
    rest = ("switch", "stairs")
    stairs = context("stairs", rest, gid=b"g2", secret=bytes(15) + b"\1")
    message, _ = protect_group_request(ON, context=context("hall"))
    with pytest.raises(UntrustedError):
        unprotect_group_request(message, context=stairs)
    option = option_of(message)
    option.kid_context = b"g2"
    with pytest.raises(UntrustedError):
        unprotect_group_request(with_option(message, option), context=stairs)


@pytest.mark.spec("RFC 10021 12.2")
@pytest.mark.requirement("R-63")
def test_a_joiner_reads_nothing_earlier():
    early = ("switch", "hall")
    message, _ = protect_group_request(ON, context=context("switch", early))
    joiner = context("stairs", gid=b"g2", secret=bytes(15) + b"\1")
    with pytest.raises(UntrustedError):
        unprotect_group_request(message, context=joiner)
    joiner.gid = b"g1"
    with pytest.raises(AuthenticationError):
        unprotect_group_request(message, context=joiner)


@pytest.mark.spec("RFC 10021 5.3")
@pytest.mark.requirement("R-15")
def test_a_replay_is_refused_member_by_member():
    switch, hall, stairs = group()
    message, _ = protect_group_request(ON, context=switch)
    unprotect_group_request(message, context=stairs)
    with pytest.raises(ReplayError):
        unprotect_group_request(message, context=stairs)
    from_hall, _ = protect_group_request(ON, context=hall)
    assert unprotect_group_request(from_hall, context=stairs)[0] == ON


@pytest.mark.spec("RFC 10021 6.2")
@pytest.mark.parametrize("to", [None, b"st"], ids=["group", "pairwise"])
def test_every_flipped_byte_is_refused_and_moves_no_window(to):
    switch, _, stairs = group()
    message, _ = protect_group_request(ON, context=switch, to=to)
    for position in range(len(message.payload)):
        payload = bytearray(message.payload)
        payload[position] ^= 0x40
        with pytest.raises(AuthenticationError):
            unprotect_group_request(with_payload(message, bytes(payload)), context=stairs)
    for length in (1, 7, len(message.payload) - 1):
        with pytest.raises((AuthenticationError, DecodeError)):
            unprotect_group_request(with_payload(message, message.payload[:length]), context=stairs)
    assert unprotect_group_request(message, context=stairs)[0] == ON


@pytest.mark.spec("RFC 10021 3.4")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kid": b"ha"}, AuthenticationError),
        ({"kid": b"st"}, UntrustedError),
        ({"kid": b"??"}, UntrustedError),
        ({"kid": None}, DecodeError),
        ({"kid_context": b"g2"}, UntrustedError),
        ({"kid_context": None}, DecodeError),
        ({"partial_iv": b"\x01"}, AuthenticationError),
        ({"partial_iv": None}, DecodeError),
        ({"group": False}, AuthenticationError),
    ],
    ids=str,
)
def test_a_request_with_another_option_is_refused(change, error):
    switch, _, stairs = group()
    message, _ = protect_group_request(ON, context=switch)
    option = option_of(message)
    for name, value in change.items():
        setattr(option, name, value)
    with pytest.raises(error):
        unprotect_group_request(with_option(message, option), context=stairs)
    assert unprotect_group_request(message, context=stairs)[0] == ON


@pytest.mark.spec("RFC 10021 6.2")
def test_our_own_request_coming_back_is_refused():
    switch, *_ = group()
    message, _ = protect_group_request(ON, context=switch)
    with pytest.raises(UntrustedError):
        unprotect_group_request(message, context=switch)


@pytest.mark.spec("RFC 10021 3.4")
def test_a_credential_encoded_again_breaks_the_message():
    switch, _, _ = group()
    stairs = context("stairs", members=("stairs",))
    issued = identity("switch")[1]
    stairs.add_member(b"sw", Credential(b"\xa1\x02" + issued.original[3:], issued.public))
    message, _ = protect_group_request(ON, context=switch)
    with pytest.raises(AuthenticationError):
        unprotect_group_request(message, context=stairs)


@pytest.mark.spec("RFC 10021 13.8")
def test_another_group_manager_is_another_group():
    switch, _, stairs = group()
    stairs.gm_credential = b"another"
    message, _ = protect_group_request(ON, context=switch)
    with pytest.raises(AuthenticationError):
        unprotect_group_request(message, context=stairs)


@pytest.mark.spec("RFC 10021 5.4")
@pytest.mark.parametrize(
    ("algorithms", "to"),
    [
        (GroupAlgorithms(aead_id=None, agreement_id=None, signature_id=AlgorithmId.ED25519), b"st"),
        (GroupAlgorithms(signature_id=None, group_encryption_id=None), None),
    ],
    ids=["no pairwise mode", "no group mode"],
)
def test_a_mode_that_the_group_has_not_is_refused_on_both_sides(algorithms, to):
    switch, _, stairs = group(algorithms=algorithms)
    with pytest.raises(UnsupportedError):
        protect_group_request(ON, context=switch, to=to)
    other = None if to else b"st"
    message, _ = protect_group_request(ON, context=switch, to=other)
    assert unprotect_group_request(message, context=stairs)[0] == ON
    message, _ = protect_group_request(ON, context=switch, to=other)
    option = option_of(message)
    option.group = not option.group
    with pytest.raises(UnsupportedError):
        unprotect_group_request(with_option(message, option), context=stairs)


@pytest.mark.spec("RFC 10021 7.3")
def test_a_request_to_nobody_is_not_protected():
    switch, *_ = group()
    with pytest.raises(UntrustedError):
        protect_group_request(ON, context=switch, to=b"??")
    assert switch.own.sequence.next == 0


@pytest.mark.spec("RFC 10021 6.4")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kid": None}, DecodeError),
        ({"kid": b"??"}, UntrustedError),
        ({"kid": b"st"}, AuthenticationError),
        ({"kid_context": b"g2"}, UntrustedError),
        ({"partial_iv": b"\x00"}, AuthenticationError),
        ({"group": False}, AuthenticationError),
    ],
    ids=str,
)
def test_a_response_with_another_option_is_refused_and_spends_nothing(change, error):
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(ON, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    response = protect_group_response(DONE, binding=binding)
    option = option_of(response)
    for name, value in change.items():
        setattr(option, name, value)
    with pytest.raises(error):
        unprotect_group_response(with_option(response, option), binding=switch_binding)
    assert unprotect_group_response(response, binding=switch_binding)[0] == DONE


@pytest.mark.spec("RFC 10021 9")
@pytest.mark.requirement("R-15")
def test_after_a_loss_of_a_window_its_member_has_to_show_freshness():
    switch, *_ = group()
    stairs = context("stairs", windows={"switch": ReplayWindow(valid=False)})
    old, switch_binding = protect_group_request(ON, context=switch)
    with pytest.raises(FreshnessError) as challenged:
        unprotect_group_request(old, context=stairs)
    answer = protect_group_response(Message(Code.UNAUTHORIZED, token=b"t"), binding=challenged.value.binding)
    assert option_of(answer).partial_iv == b"\0"
    assert unprotect_group_response(answer, binding=switch_binding)[0].code == Code.UNAUTHORIZED
    fresh, _ = protect_group_request(ON, context=switch)
    with pytest.raises(FreshnessError) as shown:
        unprotect_group_request(fresh, context=stairs)
    shown.value.recover()
    for replayed in (old, fresh):
        with pytest.raises(ReplayError):
            unprotect_group_request(replayed, context=stairs)


@pytest.mark.spec("RFC 8613 7.2.1")
def test_both_modes_spend_one_row_of_sequence_numbers():
    switch, *_ = group()
    switch.own.sequence.reserved = 2
    for to, partial_iv in ((None, b"\0"), (b"ha", b"\1")):
        assert option_of(protect_group_request(ON, context=switch, to=to)[0]).partial_iv == partial_iv
    with pytest.raises(StateError):
        protect_group_request(ON, context=switch)


@pytest.mark.parametrize("plaintext", [b"", b"\x45", b"\x01\x90"], ids=["empty", "response", "nested"])
def test_an_authentic_but_malformed_plaintext_is_refused(plaintext):
    switch, _, stairs = group()
    switch.own_group_cipher = _Wrong(switch.own_group_cipher, plaintext)
    message, _ = protect_group_request(ON, context=switch)
    with pytest.raises(DecodeError):
        unprotect_group_request(message, context=stairs)


class _Wrong:
    """The cipher of a faulty member: whatever it should encrypt, it encrypts `plaintext`."""

    def __init__(self, genuine, plaintext):
        self.genuine = genuine
        self.plaintext = plaintext

    def encrypt(self, nonce, _plaintext, aad):
        return self.genuine.encrypt(nonce, self.plaintext, aad)

    def decrypt(self, nonce, ciphertext, aad):
        return self.genuine.decrypt(nonce, ciphertext, aad)
