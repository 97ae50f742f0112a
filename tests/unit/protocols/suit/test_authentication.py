from dataclasses import replace
from itertools import combinations

import pytest

from tests.unit.protocols.suit.releases import (
    ANCHORS,
    BOTH,
    CLASSIC,
    CLASSIC_SIGNER,
    POLICY,
    QUANTUM,
    QUANTUM_SIGNER,
    RELEASE,
    STRANGER,
    signed,
)
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ProtocolError,
    SecurityError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import (
    Anchors,
    AuthenticatedEnvelope,
    AuthenticationPolicy,
    Quorum,
    Signer,
    authenticate,
    count,
)
from thingstead.protocols.suit.builder import build, sign
from thingstead.secret import Secret

UNSIGNED = build(RELEASE)
ONE = AuthenticationPolicy((CLASSIC_SIGNER,))


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_both_signatures_make_the_envelope_authentic():
    authentic = authenticate(signed(), ANCHORS, POLICY)
    assert authentic.signers == (CLASSIC_SIGNER, QUANTUM_SIGNER)


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_an_unsigned_release_is_refused():
    with pytest.raises(AuthenticationError) as caught:
        authenticate(UNSIGNED, ANCHORS, POLICY)
    assert caught.value.reason == "unsigned"


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("keys", [BOTH[:1], BOTH[1:]], ids=["post-quantum missing", "classic missing"])
def test_a_release_with_one_of_two_required_blocks_is_refused(keys):
    with pytest.raises(UntrustedError) as caught:
        authenticate(sign(UNSIGNED, keys), ANCHORS, POLICY)
    assert caught.value.reason == "signers"


@pytest.mark.requirement("R-29")
@pytest.mark.slow
def test_a_release_with_any_byte_altered_is_refused():
    data = envelope.encode(sign(UNSIGNED, BOTH[:1]))
    for position in range(len(data)):
        for mask in (0x01, 0x04, 0x20, 0x80, 0xFF):
            altered = bytearray(data)
            altered[position] ^= mask
            with pytest.raises((SecurityError, ProtocolError)):
                authenticate(envelope.decode(bytes(altered)), ANCHORS, ONE)


@pytest.mark.requirement("R-29")
def test_one_wrong_signature_fails_the_release_even_when_the_other_would_be_enough():
    forged = sign(UNSIGNED, [(CLASSIC_SIGNER, STRANGER), BOTH[1]])
    for policy in (POLICY, replace(POLICY, at_least=1)):
        with pytest.raises(AuthenticationError, match="verify"):
            authenticate(forged, ANCHORS, policy)


@pytest.mark.requirement("R-29")
def test_the_signatures_of_one_release_do_not_carry_another():
    other = build(replace(RELEASE, sequence_number=8))
    with pytest.raises(AuthenticationError, match="verify"):
        authenticate(replace(other, blocks=signed().blocks), ANCHORS, POLICY)
    swapped = replace(signed(), manifest=other.manifest)
    with pytest.raises(AuthenticationError) as caught:
        authenticate(swapped, ANCHORS, POLICY)
    assert caught.value.reason == "manifest-digest"


def test_one_key_that_signs_twice_counts_once():
    twice = sign(UNSIGNED, [BOTH[0], BOTH[0]])
    with pytest.raises(UntrustedError):
        authenticate(twice, ANCHORS, POLICY)


def test_at_least_one_of_two_is_enough_where_the_policy_says_so():
    for keys in (BOTH[:1], BOTH[1:], BOTH):
        assert authenticate(sign(UNSIGNED, keys), ANCHORS, replace(POLICY, at_least=1)).signers


def test_a_signer_without_an_anchor_is_never_satisfied():
    with pytest.raises(UntrustedError):
        authenticate(signed(), {CLASSIC_SIGNER.kid: CLASSIC.public}, POLICY)


@pytest.mark.spec("RFC 9864 2.1")
def test_es256_does_not_stand_for_esp256():
    es256 = sign(UNSIGNED, [(Signer(CLASSIC_SIGNER.kid, AlgorithmId.ES256), CLASSIC)])
    with pytest.raises(UntrustedError):
        authenticate(es256, ANCHORS, ONE)


def test_a_block_of_somebody_else_is_not_looked_at():
    other = Signer(b"somebody", AlgorithmId.ESP256)
    mac = codec.encode(codec.Tag(17, [codec.encode({1: 5}), {}, None, bytes(32)]))
    crowded = sign(UNSIGNED, [(other, STRANGER), *BOTH])
    crowded = replace(crowded, blocks=(*crowded.blocks, mac))
    assert authenticate(crowded, ANCHORS, POLICY).signers == POLICY.required


def test_a_block_without_kid_is_tried_with_every_key_of_its_algorithm():
    nameless = sign1.sign(UNSIGNED.signed, CLASSIC, signature_id=AlgorithmId.ESP256, detached=True)
    second = AuthenticationPolicy((Signer(b"other", AlgorithmId.ESP256), CLASSIC_SIGNER), at_least=1)
    anchors = {**ANCHORS, b"other": STRANGER.public}
    assert authenticate(replace(UNSIGNED, blocks=(nameless,)), anchors, second).signers == (CLASSIC_SIGNER,)
    with pytest.raises(AuthenticationError, match="verify"):
        authenticate(replace(UNSIGNED, blocks=(nameless,)), {b"other": STRANGER.public}, second)


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_a_payload_inside_a_block_is_refused():
    attached = sign1.sign(UNSIGNED.signed, CLASSIC, signature_id=AlgorithmId.ESP256, kid=CLASSIC_SIGNER.kid)
    with pytest.raises(DecodeError, match="payload"):
        authenticate(replace(UNSIGNED, blocks=(attached,)), ANCHORS, ONE)


@pytest.mark.parametrize("block", [b"", b"\x80", codec.encode(codec.Tag(16, [b"", {}, b""])), codec.encode(1)])
def test_a_block_that_is_no_tagged_signature_or_mac_is_refused(block):
    with pytest.raises(DecodeError):
        authenticate(replace(UNSIGNED, blocks=(block,)), ANCHORS, ONE)


def test_nobody_else_makes_an_authenticated_envelope():
    with pytest.raises(TypeError):
        AuthenticatedEnvelope(UNSIGNED, (), object())


@pytest.mark.parametrize(
    ("required", "at_least"), [((), 0), ((CLASSIC_SIGNER, CLASSIC_SIGNER), 0), ((CLASSIC_SIGNER,), 2)]
)
def test_a_policy_that_nobody_or_anybody_satisfies_is_not_made(required, at_least):
    with pytest.raises(ValueError, match="policy"):
        AuthenticationPolicy(required, at_least)


def test_a_signer_signs_only_the_manifest_that_was_digested():
    with pytest.raises(AuthenticationError):
        sign(replace(UNSIGNED, manifest=b"\xa0"), BOTH)
    assert QUANTUM.public == ANCHORS[QUANTUM_SIGNER.kid]


MAC_KEY = Secret(bytes(range(32)))
MAC_SIGNER = Signer(b"shared-1", AlgorithmId.HMAC_256_256)


def maced(key=MAC_KEY):
    return sign(build(RELEASE), [(MAC_SIGNER, key)])


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_a_mac_counts_where_the_policy_says_so():
    policy = AuthenticationPolicy((MAC_SIGNER,))
    assert authenticate(maced(), {MAC_SIGNER.kid: MAC_KEY}, policy).signers == (MAC_SIGNER,)


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_a_mac_and_a_signature_count_together():
    policy = AuthenticationPolicy((CLASSIC_SIGNER, MAC_SIGNER))
    both = sign(maced(), [(CLASSIC_SIGNER, CLASSIC)])
    anchors: Anchors = {**ANCHORS, MAC_SIGNER.kid: MAC_KEY}
    assert authenticate(both, anchors, policy).signers == (CLASSIC_SIGNER, MAC_SIGNER)
    with pytest.raises(UntrustedError):
        authenticate(maced(), anchors, policy)


@pytest.mark.requirement("R-70")
def test_a_mac_never_stands_for_a_signature():
    with pytest.raises(UntrustedError):
        authenticate(maced(), {**ANCHORS, MAC_SIGNER.kid: MAC_KEY}, POLICY)


def test_a_mac_under_another_key_is_refused():
    for key in (Secret(bytes(32)), Secret(bytes(range(1, 33)))):
        with pytest.raises(AuthenticationError):
            authenticate(maced(key), {MAC_SIGNER.kid: MAC_KEY}, AuthenticationPolicy((MAC_SIGNER,)))


def test_a_public_key_is_never_the_key_of_a_mac_and_a_shared_one_none_of_a_signature():
    with pytest.raises(UntrustedError):
        authenticate(maced(), {MAC_SIGNER.kid: CLASSIC.public}, AuthenticationPolicy((MAC_SIGNER,)))
    with pytest.raises(UntrustedError):
        authenticate(signed(), {CLASSIC_SIGNER.kid: MAC_KEY}, AuthenticationPolicy((CLASSIC_SIGNER,)))


@pytest.mark.parametrize("number", [AlgorithmId.A128GCM, AlgorithmId.SHA_256, 999])
def test_nobody_signs_with_what_is_neither_signature_nor_mac(number):
    with pytest.raises(UnsupportedError):
        Signer(b"kid", number)


FURTHER = [generate(KeyType.ED25519) for _ in range(2)]
FURTHER_SIGNERS = tuple([Signer(bytes([number]) * 8, AlgorithmId.ED25519) for number in range(2)])
MANY = {**ANCHORS, **{one.kid: key.public for one, key in zip(FURTHER_SIGNERS, FURTHER, strict=True)}}
OF_MANY = dict(zip((CLASSIC_SIGNER, QUANTUM_SIGNER, *FURTHER_SIGNERS), (CLASSIC, QUANTUM, *FURTHER), strict=True))
SIGNERS = tuple(OF_MANY)
TWO_OF_FOUR = AuthenticationPolicy(SIGNERS, at_least=2)
HYBRID = AuthenticationPolicy(
    SIGNERS,
    at_least=2,
    of_each=(
        Quorum((CLASSIC_SIGNER, *FURTHER_SIGNERS), 1, "classical"),
        Quorum((QUANTUM_SIGNER,), 1, "post-quantum"),
    ),
)


def signed_by(*signers):
    return sign(UNSIGNED, [(one, OF_MANY[one]) for one in signers])


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("chosen", list(combinations(range(4), 2)))
def test_any_two_of_four_are_enough_where_the_policy_says_two(chosen):
    authentic = authenticate(signed_by(*[SIGNERS[one] for one in chosen]), MANY, TWO_OF_FOUR)
    assert authentic.signers == tuple(SIGNERS[one] for one in chosen)


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("number", range(4))
def test_a_missing_threshold_is_refused_and_names_who_may_still_sign(number):
    alone = signed_by(SIGNERS[number], SIGNERS[number])
    with pytest.raises(UntrustedError, match="2 of 4 signers, got 1") as caught:
        authenticate(alone, MANY, TWO_OF_FOUR)
    assert caught.value.reason == "signers"
    (lacking,) = count(alone.blocks, alone.signed, MANY, TWO_OF_FOUR).lacking
    assert (lacking.at_least, set(lacking.signers)) == (1, set(SIGNERS) - {SIGNERS[number]})


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize(
    ("signers", "missing"),
    [
        ((CLASSIC_SIGNER, *FURTHER_SIGNERS), "post-quantum"),
        ((QUANTUM_SIGNER,), "classical"),
        ((CLASSIC_SIGNER,), "post-quantum"),
    ],
)
def test_one_family_of_a_hybrid_is_never_enough(signers, missing):
    with pytest.raises(UntrustedError, match=missing):
        authenticate(signed_by(*signers), MANY, HYBRID)


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("classical", [CLASSIC_SIGNER, *FURTHER_SIGNERS])
def test_one_of_each_family_is_enough_for_a_hybrid(classical):
    assert QUANTUM_SIGNER in authenticate(signed_by(classical, QUANTUM_SIGNER), MANY, HYBRID).signers


def test_a_hybrid_may_still_ask_for_more_altogether():
    with pytest.raises(UntrustedError):
        authenticate(signed_by(CLASSIC_SIGNER, QUANTUM_SIGNER), MANY, replace(HYBRID, at_least=3))


@pytest.mark.requirement("R-29")
def test_a_key_that_nobody_counts_counts_for_nobody():
    stranger = Signer(b"somebody", AlgorithmId.ESP256)
    crowded = sign(signed_by(CLASSIC_SIGNER), [(stranger, STRANGER)])
    with pytest.raises(UntrustedError):
        authenticate(crowded, {**MANY, stranger.kid: STRANGER.public}, TWO_OF_FOUR)


@pytest.mark.requirement("R-29")
def test_two_key_identifiers_of_one_key_need_two_blocks_and_a_policy_that_names_both():
    twin = Signer(b"twin", AlgorithmId.ESP256)
    anchors = {**MANY, twin.kid: CLASSIC.public}
    policy = AuthenticationPolicy((CLASSIC_SIGNER, twin))
    with pytest.raises(UntrustedError):
        authenticate(signed_by(CLASSIC_SIGNER), anchors, policy)


@pytest.mark.parametrize(
    ("signers", "at_least"), [((), 1), ((CLASSIC_SIGNER,), 0), ((CLASSIC_SIGNER,), 2), ((CLASSIC_SIGNER,) * 2, 1)]
)
def test_a_quorum_that_nobody_or_anybody_meets_is_not_made(signers, at_least):
    with pytest.raises(ValueError, match="policy"):
        Quorum(signers, at_least)


def test_a_quorum_of_signers_that_do_not_count_is_not_made():
    with pytest.raises(ValueError, match="count"):
        AuthenticationPolicy((CLASSIC_SIGNER,), of_each=(Quorum((QUANTUM_SIGNER,), 1),))
