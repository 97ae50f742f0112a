"""HPKE in COSE: what the recipient of the draft's two forms opens, and what it does not."""

import pytest

from thingstead.crypto.aead import aead
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.hpke import NO_PSK, Psk
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, ProtocolError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0, header, hpke, structure
from thingstead.protocols.cose.hpke import Agreed
from thingstead.protocols.cose.recipient import Receiver
from thingstead.secret import Secret

pytestmark = pytest.mark.spec("draft-ietf-cose-hpke-27 3")
KEY, OTHER = generate(KeyType.P256), generate(KeyType.P256)
PSK = Psk(Secret(bytes(range(32))), b"house")
AGREED = Agreed(info=b"where", psk=PSK)
INTEGRATED, WRAPPING = frozenset({int(AlgorithmId.HPKE_0)}), frozenset({int(AlgorithmId.HPKE_0_KE)})
CONTENT = frozenset({int(AlgorithmId.A128GCM), int(AlgorithmId.A256GCM)})


def sealed(agreed=AGREED, **said):
    return hpke.seal(b"hello", KEY.public, hpke_id=AlgorithmId.HPKE_0, external_aad=b"seen", agreed=agreed, **said)


def opened(message, *, key=KEY, accept=INTEGRATED, agreed=AGREED, aad=b"seen"):
    return encrypt0.unprotect(message, Receiver(key, accept, agreed=agreed), accept=accept, external_aad=aad)


def wrapped(content_id=AlgorithmId.A128GCM, under=AlgorithmId.A128GCM, agreed=AGREED, recipients=(KEY,)):
    """A COSE_Encrypt whose content key is for `content_id`, and whose content says `under`."""
    key, nonce = Secret(bytes(16)), bytes(12)
    protected = header.build({1: int(under)}, {5: nonce})
    aad = structure.enc_structure("Encrypt", protected=protected.encoded, external_aad=b"")
    ciphertext = aead(under, key).encrypt(nonce, b"hello", aad)
    rows = [
        hpke.wrap(key, one.public, hpke_id=AlgorithmId.HPKE_0_KE, content_id=content_id, agreed=agreed)
        for one in recipients
    ]
    return structure.wrap_array([*header.encode(protected), ciphertext, rows], structure.CoseTag.ENCRYPT, tagged=True)


def unwrapped(message, *, key=KEY, accept=WRAPPING, agreed=AGREED, index=0):
    receiver = Receiver(key, accept, index=index, agreed=agreed)
    return encrypt0.unprotect(encrypt0.decode_encrypt(message), receiver, accept=CONTENT)


def altered(message, change):
    """The message with its arrays changed by `change`, protected bytes and all."""
    elements = codec.decode(message[1:] if message[0] == 0xD0 else message[2:])
    change(elements)
    return message[:1] + codec.encode(elements) if message[0] == 0xD0 else message[:2] + codec.encode(elements)


@pytest.mark.parametrize("agreed", [Agreed(), AGREED], ids=["base", "psk"])
def test_content_for_one_recipient_opens(agreed):
    assert opened(sealed(agreed, kid=b"bob"), agreed=agreed) == b"hello"


@pytest.mark.parametrize("index", [0, 1])
def test_each_of_several_recipients_comes_to_the_content(index):
    message = wrapped(recipients=(KEY, OTHER))
    assert unwrapped(message, key=(KEY, OTHER)[index], index=index) == b"hello"


@pytest.mark.parametrize(
    "changed",
    [
        {"key": OTHER},
        {"aad": b""},
        {"agreed": Agreed(b"elsewhere", psk=PSK)},
        {"agreed": Agreed(b"where", psk=Psk(Secret(bytes(32)), b"house"))},
    ],
    ids=["another key", "another aad", "another place", "another psk"],
)
def test_content_opens_for_nobody_who_knows_less(changed):
    with pytest.raises(AuthenticationError):
        opened(sealed(), **changed)


@pytest.mark.parametrize("psk", [NO_PSK, Psk(PSK.secret, b"home")], ids=["none", "another name"])
def test_the_shared_key_is_the_one_expected_in_both_forms(psk):
    for open_it, message in ((opened, sealed()), (unwrapped, wrapped())):
        with pytest.raises(UntrustedError):
            open_it(message, agreed=Agreed(b"where", psk=psk))


def test_a_sender_who_leaves_the_shared_key_out_is_not_believed():
    for open_it, message in ((opened, sealed(Agreed(b"where"))), (unwrapped, wrapped(agreed=Agreed(b"where")))):
        with pytest.raises(UntrustedError):
            open_it(message)


def test_a_content_key_is_not_used_under_another_algorithm():
    """The draft's reason for next_layer_alg: whoever changes the content's algorithm gets no plaintext out of it."""
    with pytest.raises(AuthenticationError):
        unwrapped(wrapped(content_id=AlgorithmId.AES_CCM_16_64_128))


@pytest.mark.parametrize("accept", [WRAPPING, frozenset({int(AlgorithmId.HPKE_7)}), CONTENT])
def test_an_algorithm_outside_the_policy_opens_nothing(accept):
    with pytest.raises(UnsupportedError):
        opened(sealed(), accept=accept)


def test_an_algorithm_of_the_other_form_is_refused():
    with pytest.raises(UnsupportedError):
        hpke.seal(b"hello", KEY.public, hpke_id=AlgorithmId.HPKE_0_KE)
    with pytest.raises(UnsupportedError):
        hpke.wrap(Secret(bytes(16)), KEY.public, hpke_id=AlgorithmId.HPKE_0, content_id=1)
    with pytest.raises(UnsupportedError):
        unwrapped(wrapped(), accept=INTEGRATED)


def test_a_shared_secret_opens_nothing_that_was_sealed():
    for accept, open_it, message in ((INTEGRATED, opened, sealed()), (WRAPPING, unwrapped, wrapped())):
        with pytest.raises(UnsupportedError):
            open_it(message, key=Secret(bytes(16)), accept=accept)


@pytest.mark.parametrize(
    "change",
    [
        lambda bucket: bucket.pop(-4),
        lambda bucket: bucket.update({-4: "text"}),
        lambda bucket: bucket.update({-4: b""}),
        lambda bucket: bucket.update({-4: bytes(65)}),
        lambda bucket: bucket.update({-5: b"house"}),
    ],
    ids=["no ek", "text", "empty", "no point", "psk_id outside"],
)
def test_what_breaks_the_drafts_grammar_is_refused_in_both_forms(change):
    with pytest.raises(ProtocolError):
        opened(altered(sealed(), lambda elements: change(elements[1])))
    with pytest.raises(ProtocolError):
        unwrapped(altered(wrapped(), lambda elements: change(elements[3][0][1])))


def test_the_recipients_own_header_is_covered():
    def rename(elements):
        elements[3][0][0] = codec.encode({1: int(AlgorithmId.HPKE_0_KE), 4: b"eve", -5: b"house"})

    with pytest.raises(AuthenticationError):
        unwrapped(altered(wrapped(), rename))


def test_a_message_without_recipients_is_for_one_private_key():
    with pytest.raises(DecodeError):
        encrypt0.unprotect(
            altered(sealed(), lambda elements: elements.__setitem__(2, None)),
            Receiver(KEY, INTEGRATED, agreed=AGREED),
            accept=INTEGRATED,
        )
