"""An attacker on the path who may read, change, drop, repeat and answer; no attack ends in an accepted session."""

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import claims, initiator, responder
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, StateError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.protocols.edhoc.error import PeerError, WrongSuiteError

pytestmark = [pytest.mark.requirement("R-27"), pytest.mark.spec("RFC 9528 9.1")]

REFUSALS = (AuthenticationError, DecodeError, UnsupportedError, StateError, PeerError)


class Path:
    """Carries one session from end to end, through the attacker; what both ends believe is left in `completed`."""

    def __init__(self, attack, *, suites_i=(3, 2), selected=3, suites_r=(2, 3)):
        self.attack = attack
        self.offer = initiator(suites=suites_i, selected=selected, ephemeral=generate)
        self.acceptance = responder(suites=suites_r, ephemeral=generate)
        self.completed = []

    def run(self):
        message_1, waiting_2 = self.offer.message_1()
        received_1 = self.acceptance.receive(self.attack(1, message_1))
        message_2, waiting_3 = received_1.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
        received_2 = waiting_2.receive(self.attack(2, message_2))
        message_3, waiting_4 = received_2.authenticate(rfc.CREDENTIAL_R).message_3()
        received_3 = waiting_3.receive(self.attack(3, message_3))
        message_4, responders = received_3.authenticate(rfc.CREDENTIAL_I).message_4()
        self.completed.append(responders)
        self.completed.append(waiting_4.receive(self.attack(4, message_4)))


def nothing(_number, message):
    return message


def swap_ephemeral(target):
    """The attacker's own G_X or G_Y in place of the true one."""
    point = generate(KeyType.P256).public.x

    def attack(number, message):
        if number != target:
            return message
        start = message.index(b"\x58\x20") + 2 if number == 1 else 2
        return message[:start] + point + message[start + 32 :]

    return attack


def downgrade(number, message):
    """SUITES_I = 3 becomes 2, as if the Initiator had wanted the short tags."""
    return codec.encode_sequence(3, 2, *codec.decode_sequence(message)[2:]) if number == 1 else message


def hide_preference(number, message):
    """SUITES_I = [3, 2] becomes 2."""
    return codec.encode_sequence(3, 2, *codec.decode_sequence(message)[2:]) if number == 1 else message


def change_method(number, message):
    return b"\x02" + message[1:] if number == 1 else message


def drop(target):
    return lambda number, message: b"" if number == target else message


def reflect(target):
    """Each side gets its own last message back."""
    seen = {}

    def attack(number, message):
        seen[number] = message
        return seen[number - 1] if number == target else message

    return attack


def tell_error(target):
    return lambda number, message: b"\x03\xf5" if number == target else message


def test_without_an_attack_both_ends_complete():
    path = Path(nothing)
    path.run()
    responders, initiators = path.completed
    assert responders.oscore().master_secret == initiators.oscore().master_secret


@pytest.mark.parametrize(
    "attack",
    [
        swap_ephemeral(1),
        swap_ephemeral(2),
        downgrade,
        change_method,
        *[drop(number) for number in (1, 2, 3)],
        *[reflect(number) for number in (2, 3)],
        *[tell_error(number) for number in (1, 2, 3)],
    ],
)
def test_attack_on_messages_1_to_3_completes_at_no_end(attack):
    path = Path(attack)
    with pytest.raises(REFUSALS):
        path.run()
    assert path.completed == []


@pytest.mark.parametrize("attack", [drop(4), reflect(4), tell_error(4)])
def test_attack_on_message_4_leaves_the_initiator_unconfirmed(attack):
    path = Path(attack)
    with pytest.raises(REFUSALS):
        path.run()
    assert [end.peer for end in path.completed] == [rfc.CREDENTIAL_I]


def test_hidden_preference_is_noticed_at_message_2():
    path = Path(hide_preference, selected=2, suites_r=(2,))
    with pytest.raises(REFUSALS):
        path.run()
    assert path.completed == []


def test_false_error_2_cannot_hide_a_better_suite():
    """The Initiator falls back to suite 2 for a forged SUITES_R; the Responder sees that it passed over suite 3."""
    path = Path(nothing, selected=2)
    with pytest.raises(WrongSuiteError) as refusal:
        path.run()
    assert 3 in refusal.value.suites


def test_relay_with_its_own_sessions_on_both_sides_completes_neither():
    """The attacker is Responder to the thing and Initiator to the domain, with a key of its own."""
    key = generate(KeyType.P256)
    own = Credential(kid_reference(b"\x32"), claims(key, b"\x32"), key.public)
    message_1, thing = initiator(ephemeral=generate).message_1()
    message_2, _waiting = responder(ephemeral=generate).receive(message_1).message_2(b"\x09", own, key=key)
    received = thing.receive(message_2)
    with pytest.raises(AuthenticationError):
        received.authenticate(rfc.CREDENTIAL_R)

    message_1, waiting_2 = initiator(credential=own, key=key, ephemeral=generate).message_1()
    accepted = responder(ephemeral=generate).receive(message_1)
    message_2, domain = accepted.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
    message_3, _waiting_4 = waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R).message_3()
    with pytest.raises(AuthenticationError):
        domain.receive(message_3).authenticate(rfc.CREDENTIAL_I)


@pytest.mark.spec("RFC 9528 9.2")
def test_session_of_a_thing_with_itself_is_refused():
    """Whoever made the Initiator answer itself, in its other role, would pass its own proof off as somebody's."""
    own_key = rfc.p256(rfc.SK_I)
    message_1, waiting_2 = initiator(ephemeral=generate).message_1()
    accepted = responder(ephemeral=generate).receive(message_1)
    message_2, _waiting_3 = accepted.message_2(rfc.C_R, rfc.CREDENTIAL_I, key=own_key)
    with pytest.raises(AuthenticationError):
        waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_I)
