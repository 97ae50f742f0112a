from datetime import UTC, datetime

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import DecodeError
from thingstead.protocols.cwt import ccs, confirmation, token

# RFC 9529 §3: the credential of the Initiator.
CRED_I = bytes.fromhex(
    "a2027734322d35302d33312d46462d45462d33372d33322d333908a101a5010202412b2001215820ac75e9ece3e50bfc8ed603"
    "99889522405c47bf16df96660a41298cb4307f7eb62258206e5de611388a4b8a8211334ac7d37ecb52a387d257e6db3c2a93df21"
    "ff3affc8"
)
PUBLIC = PublicKey(
    KeyType.P256,
    bytes.fromhex("ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6"),
    bytes.fromhex("6e5de611388a4b8a8211334ac7d37ecb52a387d257e6db3c2a93df21ff3affc8"),
)


@pytest.mark.spec("RFC 9529 3")
def test_the_credential_of_the_rfc_is_read_and_written_to_the_byte():
    credential = ccs.decode(CRED_I)
    assert (credential.public, credential.kid, credential.subject) == (PUBLIC, b"\x2b", "42-50-31-FF-EF-37-32-39")
    assert credential.encoded == CRED_I
    assert ccs.encode(PUBLIC, kid=b"\x2b", subject="42-50-31-FF-EF-37-32-39") == CRED_I


def test_a_credential_without_subject_and_kid_has_neither():
    credential = ccs.decode(ccs.encode(PUBLIC))
    assert (credential.kid, credential.subject) == (b"", "")


def test_a_signed_token_serves_as_a_credential_too():
    own = generate(KeyType.X25519).public
    at = datetime(2026, 11, 23, tzinfo=UTC)
    values = {1: "domain", 2: "thing", 6: at, 8: confirmation.for_public(own, kid=b"t")}
    data = token.issue(values, generate(KeyType.P256), signature_id=AlgorithmId.ESP256)
    credential = ccs.decode(data)
    assert (credential.public, credential.kid, credential.subject, credential.encoded) == (own, b"t", "thing", data)


@pytest.mark.parametrize("data", ["", "a0", "a10800", "a108a0", "a108a103412b", "a2027061", "01", "80", "d83da0"])
def test_what_holds_no_public_key_is_refused(data):
    with pytest.raises(DecodeError):
        ccs.decode(bytes.fromhex(data))
