import pytest

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cose import header
from thingstead.protocols.cose.key_derivation import KdfLabel, derive, kdf_context
from thingstead.secret import Secret

SECRET = Secret(bytes(range(16)))
GCM = REGISTRY[AlgorithmId.A128GCM]


def headers(protected=None, **parameters):
    return header.build(protected or {}, {int(KdfLabel[name]): value for name, value in parameters.items()})


# From "Context_hex" of the examples behind RFC 9052 appendix C.3.1, and of derivations with both parties.
CONTEXTS = [
    (headers({1: -25}), {}, "840183f6f6f683f6f6f682188044a1013818"),
    (
        headers({1: -10}, PARTY_U_IDENTITY=b"Sender", PARTY_V_IDENTITY=b"Recipient"),
        {},
        "84018346" + b"Sender".hex() + "f6f68349" + b"Recipient".hex() + "f6f682188043a10129",
    ),
    (
        headers({1: -10}, PARTY_U_NONCE=7, PARTY_V_OTHER=b"R"),
        {"supp_pub_other": b"Public", "supp_priv": Secret(b"Private")},
        "850183f6" + "07f683f6f6415283188043a10129" + "46" + b"Public".hex() + "47" + b"Private".hex(),
    ),
]


@pytest.mark.spec("RFC 9053 5.2")
@pytest.mark.parametrize(("given", "known", "encoded"), CONTEXTS)
def test_the_context_holds_the_target_the_parties_and_what_both_sides_know(given, known, encoded):
    assert kdf_context(given, GCM, **known).hex() == encoded


@pytest.mark.spec("RFC 9053 5.2")
def test_an_empty_addition_is_another_context_than_none():
    assert kdf_context(headers(), GCM, supp_pub_other=b"") != kdf_context(headers(), GCM)
    assert kdf_context(headers(), GCM, supp_priv=Secret(b"")) != kdf_context(headers(), GCM)


@pytest.mark.spec("RFC 9053 5.2")
@pytest.mark.parametrize(
    "parameters",
    [{name: value} for name in KdfLabel.__members__ if name != "SALT" for value in ("text", True, [b""], 1.0)]
    + [{"PARTY_U_IDENTITY": 1}, {"PARTY_V_OTHER": 1}],
)
def test_a_parameter_of_another_type_is_refused(parameters):
    with pytest.raises(DecodeError):
        kdf_context(headers(**parameters), GCM)


@pytest.mark.spec("RFC 9053 5.1")
@pytest.mark.parametrize(
    "kdf_id", [AlgorithmId.SHA_256, AlgorithmId.SHA_512, AlgorithmId.HKDF_AES_128], ids=lambda kdf_id: kdf_id.name
)
def test_another_context_secret_or_length_makes_another_key(kdf_id):
    keys = [
        derive(kdf_id, secret, headers(), info=info, size=16).reveal()
        for secret in (SECRET, Secret(bytes(16)))
        for info in (b"a", b"b")
    ]
    assert len(set(keys)) == 4
    assert len(derive(kdf_id, SECRET, headers(), info=b"a", size=32)) == 32


@pytest.mark.spec("RFC 9053 5.1")
def test_a_salt_enters_extraction_and_must_be_bytes():
    salted = derive(AlgorithmId.SHA_256, SECRET, headers(SALT=b"salt"), info=b"", size=16)
    assert salted != derive(AlgorithmId.SHA_256, SECRET, headers(), info=b"", size=16)
    for salt in ("salt", 1, [b"salt"]):
        with pytest.raises(DecodeError):
            derive(AlgorithmId.SHA_256, SECRET, headers(SALT=salt), info=b"", size=16)


@pytest.mark.spec("RFC 9053 5.1")
@pytest.mark.parametrize("size", [0, 15, 24, 32])
def test_a_derivation_on_aes_takes_a_key_of_its_length_only(size):
    with pytest.raises(UnsupportedError):
        derive(AlgorithmId.HKDF_AES_128, Secret(bytes(size)), headers(), info=b"", size=16)
