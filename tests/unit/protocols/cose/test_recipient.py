import pytest

from thingstead.crypto.aead import aead
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, private_key
from thingstead.crypto.key_wrap import wrap_key
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0, header, key_derivation, mac0, recipient
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose.recipient import Receiver
from thingstead.protocols.cose.structure import enc_structure
from thingstead.secret import Secret

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


GCM = frozenset({AlgorithmId.A128GCM})
HMAC = frozenset({AlgorithmId.HMAC_256_256})
CONTENT = b"This is the content."
# Keys of RFC 9052 appendix C.7.2, and its messages C.3.1, C.3.4, C.5.1, C.5.2 and C.5.4.
MERIADOC = private_key(
    KeyType.P256, Secret(bytes.fromhex("aff907c99f9ad3aae6c4cdf21122bce2bd68b5283e6907154ad911840fa208cf"))
)
PEREGRIN = PublicKey(
    KeyType.P256,
    bytes.fromhex("98f50a4ff6c05861c8860d13a638ea56c3f5ad7590bbfbf054e1c7b4d91d6280"),
    bytes.fromhex("f01400b089867804b8e9fc96c3932161f1934f4223069170d924b7e03bf822bb"),
)
BILBO = private_key(
    KeyType.P521,
    Secret(
        bytes.fromhex(
            "00085138ddabf5ca975f5860f91a08e91d6d5f9a76ad4018766a476680b55cd339e8ab6c72b5facdb2a2a50ac25bd086647d"
            "d3e2e6e99e84ca2c3609fdf177feb26d"
        )
    ),
)
OUR_SECRET = Secret(bytes.fromhex("849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188"))
C_3_1 = bytes.fromhex(
    "d8608443a10101a1054cc9cf4df2fe6c632bf788641358247adbe2709ca818fb415f1e5df66f4e1a51053ba6d65a1a0c52a357da7a64"
    "4b8070a151b0818344a1013818a220a40102200121582098f50a4ff6c05861c8860d13a638ea56c3f5ad7590bbfbf054e1c7b4d91d62"
    "8022f50458246d65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c6540"
)
C_3_4 = bytes.fromhex(
    "d8608443a10101a1054c02d1f7e6f26c43d4868d87ce582464f84d913ba60a76070a9a48f26e97e863e28529d8f5335e5f0165eee976"
    "b4a5f6c6f09d818344a101381fa3225821706572656772696e2e746f6f6b407475636b626f726f7567682e6578616d706c650458246d"
    "65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c6535420101581841e0d76f579dbd0d936a662d54"
    "d8582037de2e366fde1c62"
)
C_5_1 = bytes.fromhex(
    "d8618543a1010fa054546869732069732074686520636f6e74656e742e489e1226ba1f81b848818340a20125044a6f75722d73656372657440"
)
C_5_2 = bytes.fromhex(
    "d8618543a10105a054546869732069732074686520636f6e74656e742e582081a03448acd3d305376eaa11fb3fe416a955be2cbe7ec9"
    "6f012c994bc3f16a41818344a101381aa3225821706572656772696e2e746f6f6b407475636b626f726f7567682e6578616d706c6504"
    "58246d65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c653558404d8553e7e74f3c6a3a9dd3ef28"
    "6a8195cbf8a23d19558ccfec7d34b824f42d92bd06bd2c7f0271f0214e141fb779ae2856abf585a58368b017e7f2a9e5ce4db540"
)
C_5_4 = bytes.fromhex(
    "d8618543a10105a054546869732069732074686520636f6e74656e742e5820bf48235e809b5c42e995f2b7d5fa13620e7ed834e337f6"
    "aa43df161e49e9323e828344a101381ca220a4010220032158420043b12669acac3fd27898ffba0bcd2e6c366d53bc4db71f909a7593"
    "04acfb5e18cdc7ba0b13ff8c7636271a6924b1ac63c02688075b55ef2d613574e7dc242f79c322f504581e62696c626f2e6261676769"
    "6e7340686f626269746f6e2e6578616d706c655828339bc4f79984cdc6b3e6ce5f315a4c7d2b0ac466fcea69e8c07dfbca5bb1f661bc"
    "5f8e0df9e3eff58340a2012404582430313863306165352d346439622d343731622d626664362d656566333134626337303337582"
    "80b2c7cfce04e98276342d6476a7723c090dfdd15f9a518e7736549e998370695e6d6a83b4ae507bb"
)


def reached(key, *ways, **known):
    return Receiver(key, frozenset(ways), **known)


def mac(message, receiver, accept=HMAC):
    return mac0.authenticate(mac0.decode_mac(message), receiver, accept=accept).payload


def decrypt(message, receiver, **known):
    return encrypt0.unprotect(encrypt0.decode_encrypt(message), receiver, accept=GCM, **known)


@pytest.mark.spec("RFC 9052 C")
def test_the_examples_of_the_rfc_open_for_their_recipients():
    aad = bytes.fromhex("0011bbcc22dd44ee55ff660077")
    sender = reached(MERIADOC, AlgorithmId.ECDH_SS_A128KW, sender=PEREGRIN)
    assert decrypt(C_3_1, reached(MERIADOC, AlgorithmId.ECDH_ES_HKDF_256)) == CONTENT
    assert decrypt(C_3_4, sender, external_aad=aad) == CONTENT
    assert mac(C_5_1, reached(OUR_SECRET, -6), frozenset({AlgorithmId.AES_MAC_256_64})) == CONTENT
    assert mac(C_5_2, reached(MERIADOC, AlgorithmId.ECDH_SS_HKDF_256, sender=PEREGRIN)) == CONTENT
    assert mac(C_5_4, reached(BILBO, AlgorithmId.ECDH_ES_A128KW)) == CONTENT
    assert mac(C_5_4, reached(OUR_SECRET, AlgorithmId.A256KW, index=1)) == CONTENT


@pytest.mark.spec("RFC 9052 8.5")
@pytest.mark.parametrize(
    ("message", "receiver"),
    [
        (C_5_4, reached(BILBO, AlgorithmId.ECDH_ES_HKDF_256)),
        (C_5_4, reached(BILBO, AlgorithmId.A256KW, index=1)),
        (C_5_4, reached(OUR_SECRET, AlgorithmId.ECDH_ES_A128KW)),
        (C_5_4, reached(MERIADOC, AlgorithmId.ECDH_ES_A128KW)),
        (C_5_4, reached(Secret(bytes(16)), AlgorithmId.A256KW, index=1)),
        (C_5_2, reached(MERIADOC, AlgorithmId.ECDH_ES_HKDF_256, AlgorithmId.ECDH_SS_A128KW)),
        (C_5_2, OUR_SECRET),
        (C_5_2, reached(private_key(KeyType.ED25519, Secret(bytes(32))), AlgorithmId.ECDH_SS_HKDF_256)),
        (C_5_1, reached(MERIADOC, AlgorithmId.DIRECT)),
    ],
    ids=["way", "no secret", "no key", "curve", "length", "neither", "not shared", "signing key", "no agreement"],
)
def test_a_way_or_key_that_does_not_fit_is_refused(message, receiver):
    with pytest.raises(UnsupportedError):
        mac(message, receiver, HMAC if message != C_5_1 else frozenset({AlgorithmId.AES_MAC_256_64}))


def test_nothing_outside_the_table_is_a_way_even_where_it_is_accepted():
    message = codec.encode([b"", {}, CONTENT, bytes(32), [[codec.encode({1: -7}), {}, b""]]])
    message = codec.encode([codec.encode({1: 5}), *codec.decode(message)[1:]])
    with pytest.raises(UnsupportedError):
        mac(message, reached(OUR_SECRET, -7))


@pytest.mark.parametrize("index", [-1, 2, 255])
def test_a_recipient_that_is_not_there_is_refused(index):
    with pytest.raises(DecodeError):
        mac(C_5_4, reached(OUR_SECRET, AlgorithmId.A256KW, index=index))


def test_a_message_without_recipients_has_no_receiver():
    data = mac0.protect(CONTENT, OUR_SECRET, mac_id=AlgorithmId.HMAC_256_256)
    with pytest.raises(DecodeError):
        mac0.authenticate(data, reached(OUR_SECRET, AlgorithmId.DIRECT), accept=HMAC)


@pytest.mark.spec("RFC 9053 6.3.1")
def test_only_the_expected_sender_is_agreed_with():
    for message, way in ((C_5_2, AlgorithmId.ECDH_SS_HKDF_256), (C_3_4, AlgorithmId.ECDH_SS_A128KW)):
        open_ = mac if message == C_5_2 else decrypt
        with pytest.raises(UntrustedError):
            open_(message, reached(MERIADOC, way))
        with pytest.raises(AuthenticationError):
            open_(message, reached(MERIADOC, way, sender=MERIADOC.public))


def agreed(
    *, way, parameters, wrapped=b"", secret=None, protected=None, others=(), target=AlgorithmId.A128GCM, **known
):
    """A COSE_Encrypt to one recipient, made from its secret as RFC 9053 §5 and §6 say."""
    buckets = header.build({1: int(way)} if protected is None else protected, parameters)
    info = key_derivation.kdf_context(buckets, REGISTRY[target], **known)
    size = REGISTRY[target].key_size
    key = key_derivation.derive(AlgorithmId.SHA_256, secret, buckets, info=info, size=size)
    if target != AlgorithmId.A128GCM:
        cek = Secret(bytes(range(16)))
        wrapped, key = wrap_key(cek, key, target), cek
    body = codec.encode({1: 1})
    ciphertext = aead(AlgorithmId.A128GCM, key).encrypt(
        bytes(12), CONTENT, enc_structure("Encrypt", protected=body, external_aad=b"")
    )
    one = [*header.encode(buckets), wrapped]
    return codec.encode([body, {5: bytes(12)}, ciphertext, [one, *others]])


EPHEMERAL = private_key(KeyType.X25519, Secret(bytes(range(32))))
OWN = private_key(KeyType.X25519, Secret(bytes(range(1, 33))))
EPK = cose_key.public_map(EPHEMERAL.public)


@pytest.mark.spec("RFC 9053 6.4.1")
@pytest.mark.parametrize(
    ("way", "target"),
    [
        (AlgorithmId.ECDH_ES_HKDF_256, AlgorithmId.A128GCM),
        (AlgorithmId.ECDH_ES_A128KW, AlgorithmId.A128KW),
        (AlgorithmId.ECDH_ES_A192KW, AlgorithmId.A192KW),
        (AlgorithmId.ECDH_ES_A256KW, AlgorithmId.A256KW),
    ],
)
def test_what_both_sides_know_must_be_the_same(way, target):
    secret = OWN.agree(EPHEMERAL.public)
    known = {"supp_pub_other": b"SUIT Payload Encryption", "supp_priv": Secret(b"both")}
    message = agreed(way=way, parameters={-1: EPK}, secret=secret, target=target, **known)
    assert decrypt(message, reached(OWN, way, **known)) == CONTENT
    for changed in ({}, known | {"supp_pub_other": None}, known | {"supp_priv": Secret(b"one")}):
        with pytest.raises(AuthenticationError):
            decrypt(message, reached(OWN, way, **changed))


@pytest.mark.spec("RFC 9053 5.2")
def test_a_changed_party_salt_or_protected_bucket_makes_another_key():
    way = AlgorithmId.ECDH_ES_HKDF_256
    message = agreed(way=way, parameters={-1: EPK, -21: b"U", -20: b"salt"}, secret=OWN.agree(EPHEMERAL.public))
    body, unprotected, ciphertext, ((protected, parameters, empty),) = codec.decode(message)
    assert decrypt(message, reached(OWN, way)) == CONTENT
    for entry in (
        [protected, parameters | {-21: b"V"}, empty],
        [protected, parameters | {-20: b"pepper"}, empty],
        [protected, parameters | {-25: 0}, empty],
        [codec.encode({1: int(way), 3: 0}), parameters, empty],
        [b"", parameters | {1: int(way)}, empty],
    ):
        with pytest.raises(AuthenticationError):
            decrypt(codec.encode([body, unprotected, ciphertext, [entry]]), reached(OWN, way))


@pytest.mark.spec("RFC 9053 6.3.1")
@pytest.mark.parametrize(
    "parameters",
    [{}, {-1: b""}, {-1: {}}, {-1: {1: 4, -1: bytes(16)}}, {-1: EPK | {-2: bytes(32)}}, {-1: EPK | {-2: bytes(31)}}],
    ids=["none", "bytes", "empty", "symmetric", "small order", "short"],
)
def test_an_ephemeral_key_that_is_none_is_refused(parameters):
    message = agreed(way=AlgorithmId.ECDH_ES_HKDF_256, parameters=parameters, secret=Secret(bytes(32)))
    with pytest.raises(DecodeError):
        decrypt(message, reached(OWN, AlgorithmId.ECDH_ES_HKDF_256))


@pytest.mark.spec("RFC 9053 6.3.1")
def test_a_static_key_in_the_message_must_be_the_one_expected():
    way = AlgorithmId.ECDH_SS_HKDF_256
    message = agreed(way=way, parameters={-2: EPK, -22: b"n"}, secret=OWN.agree(EPHEMERAL.public))
    assert decrypt(message, reached(OWN, way, sender=EPHEMERAL.public)) == CONTENT
    for sender in (None, OWN.public):
        with pytest.raises(UntrustedError):
            decrypt(message, reached(OWN, way, sender=sender))


@pytest.mark.spec("RFC 9052 8.5")
@pytest.mark.parametrize(
    "changed",
    [
        {"wrapped": b"x"},
        {"others": [[b"", {1: -3}, bytes(24)]]},
        {"others": [[b"", {1: -6}, b""]]},
        {"others": [[codec.encode({1: -25}), {-1: EPK}, b""]]},
    ],
    ids=["carries a key", "beside a wrap", "beside a direct one", "two"],
)
def test_a_key_that_is_not_wrapped_has_one_recipient_and_carries_nothing(changed):
    way = AlgorithmId.ECDH_ES_HKDF_256
    message = agreed(way=way, parameters={-1: EPK}, secret=OWN.agree(EPHEMERAL.public), **changed)
    with pytest.raises(DecodeError):
        decrypt(message, reached(OWN, way))


@pytest.mark.spec("RFC 9053 6.2.1")
def test_a_key_wrap_protects_nothing_and_is_alone_accepted():
    kek, cek = Secret(bytes(16)), Secret(bytes(range(16)))
    wrapped = wrap_key(cek, kek, AlgorithmId.A128KW)
    body = codec.encode({1: 1})
    ciphertext = aead(AlgorithmId.A128GCM, cek).encrypt(
        bytes(12), CONTENT, enc_structure("Encrypt", protected=body, external_aad=b"")
    )

    def message(*entry):
        return codec.encode([body, {5: bytes(12)}, ciphertext, [list(entry)]])

    good = message(b"", {1: -3}, wrapped)
    assert decrypt(good, reached(kek, AlgorithmId.A128KW)) == CONTENT
    for receiver, data, error in (
        (reached(kek, AlgorithmId.A128KW, AlgorithmId.A256KW), good, DecodeError),
        (reached(kek, AlgorithmId.A128KW), message(codec.encode({1: -3}), {}, wrapped), DecodeError),
        (reached(kek, AlgorithmId.A128KW), message(b"", {1: -3}, wrapped[:-1]), DecodeError),
        (reached(kek, AlgorithmId.A128KW), message(b"", {1: -3}, None), DecodeError),
        (reached(kek, AlgorithmId.A128KW), message(b"", {1: -3}, bytes(24)), AuthenticationError),
        (reached(cek, AlgorithmId.A128KW), good, AuthenticationError),
        (
            reached(kek, AlgorithmId.A128KW),
            message(b"", {1: -3}, wrap_key(Secret(bytes(32)), kek, AlgorithmId.A128KW)),
            UnsupportedError,
        ),
    ):
        with pytest.raises(error):
            decrypt(data, receiver)
