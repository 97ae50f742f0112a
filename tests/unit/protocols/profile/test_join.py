"""What is shown in a join stands in one place each: none missing, none twice, nothing critical passed over."""

import pytest

from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ThingsteadError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import CredentialReference, expand_reference, kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz.message import VOUCHER_INFO, VoucherInfo
from thingstead.protocols.profile import join
from thingstead.protocols.profile.join import (
    CREDENTIAL_BY_VALUE,
    CUSTODY_HEAD,
    LONG_NAME,
    decode_custody,
    decode_identity,
    decode_question,
    domain_credential,
    identity_credential,
    identity_item,
    require_name,
)

pytestmark = pytest.mark.spec("RFC 9528 3.8")
PUBLIC = generate(KeyType.P256).public
CCS = ccs.encode(PUBLIC, subject="home")


@pytest.mark.parametrize(
    "ead_3",
    [
        (),
        (EadItem(1, b"other"),),
        (EadItem(-CREDENTIAL_BY_VALUE, None),),
        identity_item(b"one") * 2,
        (EadItem(CREDENTIAL_BY_VALUE, b"one"), EadItem(-CREDENTIAL_BY_VALUE, b"two")),
    ],
)
def test_a_join_without_one_identity_is_refused(ead_3):
    with pytest.raises(DecodeError, match=r"expected (one credential by value|a value behind EAD label 15)"):
        decode_identity(ead_3)


@pytest.mark.parametrize("said", [(None,), (b"x",), (bytes(32), bytes(32)), (b"", None)])
def test_what_cannot_be_an_end_of_custody_is_not_passed_over(said):
    with pytest.raises(DecodeError):
        decode_custody([EadItem(-CUSTODY_HEAD, value) for value in said])


@pytest.mark.parametrize("claims", [b"\xa0", b"\xa1\x02\x61x"])
def test_a_domain_that_shows_claims_without_a_key_is_refused(claims):
    with pytest.raises(ThingsteadError):
        domain_credential(reference_of(kccs_reference(claims)))


@pytest.mark.spec("RFC 9528 3.5.3")
def test_a_domain_that_is_only_named_is_refused():
    with pytest.raises(DecodeError, match="expected the domain's credential by value"):
        domain_credential(CredentialReference(kid_reference(b"kid"), kid=b"kid"))


def reference_of(id_cred):
    return expand_reference(codec.decode(id_cred), id_cred)


def test_the_domain_shows_its_original_bytes():
    shown = domain_credential(reference_of(kccs_reference(CCS)))
    assert (shown.cred, shown.public) == (CCS, PUBLIC)


def test_what_is_shown_is_critical_and_read_back():
    assert decode_identity(identity_item(b"identity")) == b"identity"
    assert all(item.label < 0 for item in identity_item(b"identity"))


def test_an_identity_is_named_by_the_first_bytes_of_its_digest():
    identity = codec.encode(b"identity")
    credential = identity_credential(identity, PUBLIC)
    assert credential.cred == identity
    assert digest(identity)[:4] in credential.id_cred


SUITE = cipher_suite(2)
INFO = VoucherInfo("coap://192.0.2.1", bytes(32))
IDENTITY = codec.encode(b"identity")
OTHER = digest(codec.encode(b"other"))


@pytest.mark.spec("draft-ietf-lake-authz-07 4.3.1")
def test_a_question_is_critical_and_read_back():
    assert INFO.item().label == -VOUCHER_INFO
    assert decode_question((*identity_item(b"identity"), INFO.item()), SUITE) == INFO
    assert decode_question(identity_item(b"identity"), SUITE) is None


@pytest.mark.spec("draft-ietf-lake-authz-07 4.4.3")
@pytest.mark.parametrize(
    "ead_3",
    [
        (INFO.item(), INFO.item()),
        (INFO.item(), EadItem(VOUCHER_INFO, INFO.item().value)),
        (EadItem(-VOUCHER_INFO, None),),
        (EadItem(-VOUCHER_INFO, b""),),
        (EadItem(-VOUCHER_INFO, b"\x60\x40"),),
        (VoucherInfo("coap://192.0.2.1", bytes(31)).item(),),
        (VoucherInfo("coap://192.0.2.1", bytes(33)).item(),),
    ],
    ids=["two", "both-signs", "no-value", "empty", "nothing", "short-key", "long-key"],
)
def test_a_question_that_cannot_be_asked_is_refused_and_not_passed_over(ead_3):
    with pytest.raises(DecodeError):
        decode_question(ead_3, SUITE)


def named(kid):
    return CredentialReference(kid_reference(kid), kid=kid)


@pytest.mark.parametrize("size", [4, LONG_NAME, 32])
def test_a_thing_may_call_itself_by_any_part_of_its_hash_that_is_long_enough(size):
    require_name(named(digest(IDENTITY)[:size]), IDENTITY)


@pytest.mark.requirement("R-59")
@pytest.mark.parametrize(
    "reference",
    [named(b""), named(digest(IDENTITY)[:3]), named(OTHER[:8]), reference_of(kccs_reference(CCS))],
    ids=["empty", "short", "another's", "no-name"],
)
def test_a_thing_that_calls_itself_by_another_s_name_is_not_asked_about(reference):
    with pytest.raises(UntrustedError) as refused:
        require_name(reference, IDENTITY)
    assert refused.value.reason == "name"


def test_evidence_is_asked_for_once_or_not_at_all():
    item = EadItem(join.ATTESTATION, b"nonce")
    assert (join.decode_attestation([item]), join.decode_attestation([])) == (b"nonce", b"")
    for items in ([item, item], [EadItem(join.ATTESTATION, None)]):
        with pytest.raises(DecodeError):
            join.decode_attestation(items)
