from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.unit.protocols.edhoc.certificates import AT, ODD, YEAR, Authority, usage
from tests.unit.protocols.edhoc.party import run
from thingstead.crypto.certificate import Certificate
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ExpiredError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import METHODS, Authentication, key_type
from thingstead.protocols.edhoc.certificate import (
    CertifiedPeer,
    authenticate_certificate,
    certificate_credential,
    x5chain_reference,
    x5t_reference,
    x5u_reference,
)
from thingstead.protocols.edhoc.credential import CredentialReference, expand_reference
from thingstead.protocols.edhoc.suite import SUITES, cipher_suite

SIGNATURE, STATIC_DH = Authentication.SIGNATURE, Authentication.STATIC_DH
ROOT = Authority()
KEY = generate(KeyType.P256)
LEAF = ROOT.certify(KEY.public)
URI = "coaps://maker.example/c/17"


def authenticate(leaf, *others, anchors=(ROOT.certificate,), kind=SIGNATURE, at=AT, reference=None):
    reference = reference or CredentialReference(x5u_reference(URI))
    return authenticate_certificate(reference, (leaf, *others), anchors=anchors, kind=kind, at=at)


def read(id_cred):
    return expand_reference(codec.decode(id_cred), id_cred)


@pytest.mark.spec("RFC 9528 3.5.2")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", SUITES)
@pytest.mark.parametrize(
    "refer", [x5t_reference, lambda leaf: x5chain_reference([leaf]), lambda _leaf: x5u_reference(URI)]
)
def test_parties_with_certificates_complete(number, method, refer):
    suite, row = cipher_suite(number), METHODS[method]
    parties = []
    for kind in (row.initiator, row.responder):
        key = generate(key_type(suite, kind))
        leaf = ROOT.certify(key.public)
        parties.append((certificate_credential(leaf, refer(leaf)), key, leaf, kind))

    def trust(reference, leaf, kind):
        return authenticate(leaf, kind=kind, reference=reference).credential

    (credential_i, key_i, leaf_i, kind_i), (credential_r, key_r, leaf_r, kind_r) = parties
    ends = run(
        suite,
        method,
        (credential_i, key_i),
        (credential_r, key_r),
        find_r=lambda reference: trust(reference, leaf_r, kind_r),
        find_i=lambda reference: trust(reference, leaf_i, kind_i),
    )
    assert [end.peer.public for end in ends[:2]] == [key_r.public, key_i.public]
    assert ends[0].oscore().master_secret == ends[1].oscore().master_secret


@pytest.mark.spec("RFC 9360 2")
def test_references_are_read_as_they_were_written():
    assert read(x5u_reference(URI)).x5u == URI
    assert read(x5chain_reference([LEAF])).x5chain == (LEAF.der,)
    assert read(x5chain_reference([LEAF, ROOT.certificate])).x5chain == (LEAF.der, ROOT.certificate.der)
    assert [len(read(x5t_reference(LEAF, number)).x5t[1]) for number in (-15, -16, -43, -44)] == [8, 32, 48, 64]
    assert len(x5t_reference(LEAF)) == 14


def test_a_chain_through_an_authority_below_the_anchor_is_followed():
    below = Authority("Factory", issuer=ROOT, path_length=0, extensions=(usage("key_cert_sign"),))
    peer = authenticate(below.certify(KEY.public), below.certificate, kind=STATIC_DH)
    assert (peer.subject, len(peer.chain)) == ("CN=Thing", 3)
    assert peer.credential.public == KEY.public


def test_a_certificate_that_is_an_anchor_itself_is_trusted_without_an_authority():
    stranger = Authority("Stranger").certify(KEY.public)
    assert authenticate(stranger, anchors=(stranger,)).chain == (stranger,)


@pytest.mark.spec("RFC 9528 D.1")
@pytest.mark.parametrize(
    ("allowed", "kind"),
    [(usage("digital_signature"), SIGNATURE), (usage("key_agreement"), STATIC_DH)],
)
def test_a_key_is_used_as_its_certificate_says_and_in_no_other_way(allowed, kind):
    leaf = ROOT.certify(KEY.public, extensions=(allowed,))
    other = STATIC_DH if kind is SIGNATURE else SIGNATURE
    assert authenticate(leaf, kind=kind).credential.public == KEY.public
    with pytest.raises(UntrustedError, match="key usage"):
        authenticate(leaf, kind=other)
    with pytest.raises(UntrustedError, match="key usage"):
        authenticate(ROOT.certify(KEY.public, extensions=(usage("crl_sign"),)), kind=kind)


@pytest.mark.spec("RFC 5280 6")
def test_what_leads_to_no_anchor_is_refused():
    impostor = Authority("Maker")
    for leaf, others, anchors in (
        (LEAF, (), ()),
        (LEAF, (ROOT.certificate,), (impostor.certificate,)),
        (impostor.certify(KEY.public), (impostor.certificate,), (ROOT.certificate,)),
        (impostor.certificate, (), (ROOT.certificate,)),
    ):
        with pytest.raises(UntrustedError):
            authenticate(leaf, *others, anchors=anchors)


@pytest.mark.spec("RFC 5280 4.2.1.9")
def test_a_thing_is_no_authority():
    for thing in (
        Authority("Thing", issuer=ROOT, ca=False),
        Authority("T", issuer=ROOT, extensions=(usage("crl_sign"),)),
    ):
        with pytest.raises(UntrustedError):
            authenticate(thing.certify(KEY.public), thing.certificate)


@pytest.mark.spec("RFC 5280 4.2.1.9")
def test_an_authority_with_too_many_below_it_is_refused():
    root = Authority("Root", path_length=0)
    below = Authority("Below", issuer=root)
    with pytest.raises(UntrustedError, match="at most 0 authorities below"):
        authenticate(below.certify(KEY.public), below.certificate, anchors=(root.certificate,))
    assert authenticate(root.certify(KEY.public), anchors=(root.certificate,))


def _rsa(bits):
    return rsa.generate_private_key(65537, bits)


@pytest.mark.requirement("R-27")
@pytest.mark.spec("RFC 9325 4.5")
@pytest.mark.parametrize("authority", [{"key": 1024}, {"digest": hashes.SHA224}], ids=str)
def test_a_signature_that_somebody_else_might_have_made_is_refused(authority):
    if "key" in authority:
        authority = {"key": _rsa(authority["key"])}
    weak = Authority("Weak", **authority)
    with pytest.raises(UntrustedError, match="RSA of 2048 bits or more"):
        authenticate(weak.certify(KEY.public), anchors=(weak.certificate,))
    below = Authority("Below", issuer=ROOT, **authority)
    with pytest.raises(UntrustedError, match="RSA of 2048 bits or more"):
        authenticate(below.certify(KEY.public), below.certificate)


@pytest.mark.parametrize("authority", [{"key": ec.generate_private_key(ec.SECP384R1())}, {"digest": hashes.SHA512}])
def test_a_signature_of_another_curve_or_a_longer_hash_is_as_good(authority):
    strong = Authority("Strong", **authority)
    assert authenticate(strong.certify(KEY.public), anchors=(strong.certificate,)).subject == "CN=Thing"


@pytest.mark.spec("RFC 5280 4.2")
@pytest.mark.parametrize(
    "extension", [ODD, x509.NameConstraints([x509.DNSName("a")], None), x509.ExtendedKeyUsage([ODD.oid])]
)
def test_a_critical_extension_that_nobody_looks_at_is_refused(extension):
    with pytest.raises(UntrustedError, match="critical extension"):
        authenticate(ROOT.certify(KEY.public, extensions=((extension, True),)))
    below = Authority("Below", issuer=ROOT, extensions=((extension, True),))
    with pytest.raises(UntrustedError, match="critical extension"):
        authenticate(below.certify(KEY.public), below.certificate)
    assert authenticate(ROOT.certify(KEY.public, extensions=((extension, False),)))


@pytest.mark.spec("RFC 5280 4.1.2.5")
@pytest.mark.parametrize("at", [AT - 2 * YEAR, AT + 2 * YEAR])
def test_a_certificate_outside_its_validity_is_refused(at):
    with pytest.raises(ExpiredError):
        authenticate(LEAF, at=at)


@pytest.mark.spec("RFC 9360 2")
def test_another_certificate_than_the_one_named_is_refused():
    other = ROOT.certify(generate(KeyType.P256).public)
    for named in (x5t_reference(LEAF), x5t_reference(LEAF, -44), x5chain_reference([LEAF])):
        assert authenticate(LEAF, reference=read(named))
        with pytest.raises(UntrustedError):
            authenticate(other, reference=read(named))
    with pytest.raises(UntrustedError):
        authenticate(LEAF, ROOT.certificate, reference=read(x5chain_reference([LEAF])))


def test_no_certificate_at_all_is_refused():
    with pytest.raises(UntrustedError, match="expected a certificate"):
        authenticate_certificate(read(x5u_reference(URI)), (), anchors=(ROOT.certificate,), kind=SIGNATURE, at=AT)


@pytest.mark.parametrize("hash_id", [-14, 5, "sha-256"])
def test_a_hash_that_we_do_not_have_is_refused(hash_id):
    reference = replace(read(x5t_reference(LEAF)), x5t=(hash_id, b"x"))
    with pytest.raises(UnsupportedError):
        authenticate(LEAF, reference=reference)


def test_a_key_of_another_kind_is_refused():
    leaf = ROOT.sign("Thing", rsa.generate_private_key(65537, 2048).public_key())
    with pytest.raises(UnsupportedError):
        authenticate(leaf)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", LEAF.der[:-1], LEAF.der + b"\x00", bytes(300)])
def test_what_is_no_certificate_is_refused(der):
    with pytest.raises(DecodeError):
        authenticate(Certificate(der))


@pytest.mark.spec("RFC 5280 4.2")
def test_a_key_usage_that_cannot_be_read_allows_nothing():
    """It does not count as one that is not there, which would allow everything."""
    leaf = ROOT.certify(KEY.public, extensions=(usage("digital_signature"),))
    bits = leaf.der.index(bytes.fromhex("03020780"))
    broken = Certificate(leaf.der[:bits] + b"\xff" + leaf.der[bits + 1 :])
    with pytest.raises(DecodeError):
        authenticate(broken, anchors=(broken,))


@pytest.mark.parametrize("id_cred", ["a1182360", "a11823d82060", "a11823d8204161", "a11823d821617a", "a11823d820610a"])
def test_a_malformed_uri_is_refused(id_cred):
    with pytest.raises(DecodeError):
        read(bytes.fromhex(id_cred))


def test_a_uri_or_a_chain_that_is_too_long_is_refused():
    with pytest.raises(DecodeError):
        read(x5u_reference("coap://" + "x" * 255))
    with pytest.raises(DecodeError):
        read(x5chain_reference([LEAF] * 7))
    with pytest.raises(ValueError, match="begins with"):
        x5chain_reference([])


def test_a_certified_peer_is_made_by_verification_alone():
    with pytest.raises(TypeError):
        CertifiedPeer(certificate_credential(LEAF, x5u_reference(URI)), (LEAF,), object())
