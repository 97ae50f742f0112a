"""Each MUD file beside the repository: read and compiled, or refused for the reason that stands here."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tests.unit.protocols.edhoc.certificates import Authority
from thingstead.crypto.certificate import Certificate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    PolicyError,
    ProtocolError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit, claimed_signer

AT = datetime(2026, 11, 23, tzinfo=UTC)
UNSIGNED = AdmissionPolicy("a look", insecure_unsigned=True)
LISTS = "/ietf-access-control-list:ac"
# Beside files there are what their projects expected of them, and which class of controller is where.
NO_MUD_FILE = (DecodeError, "/: expected a member 'ietf-mud:mud', which is missing")
REFUSED = {
    "MUDFILE.NEST": (UnsupportedError, f"{LISTS}cess-lists/acl/0/acl-name: expected an access list of RFC 8519"),
    "lightbulb2000.json": (UnsupportedError, f"{LISTS}cess-lists/acl/0/acl-type: expected an access list of RFC 8519"),
    "toaster_mud.json": (
        DecodeError,
        f"{LISTS}ls/acl/0/aces/ace/0/matches/actions/forwarding: expected accept, drop or reject",
    ),
    "Amazon-Echo-Test.json": NO_MUD_FILE,
    "August-Doorbell-Test.json": NO_MUD_FILE,
    "Ring-Doorbell-Test.json": NO_MUD_FILE,
    "controllerclass-mapping.json": NO_MUD_FILE,
}


def refusal_for(path):
    return NO_MUD_FILE if path.name.startswith("device-association-") else REFUSED.get(path.name)


def compiled(data):
    return compile_rules(admit(data, None, policy=UNSIGNED, at=AT))


@pytest.fixture(scope="module")
def files(shared):
    """Every file of the collection and of the vectors that could be one."""
    folders = (shared / "data" / "mud", shared / "vectors" / "mud")
    return sorted(path for one in folders for path in one.rglob("*") if path.suffix in {".json", ".NEST"})


@pytest.mark.spec("RFC 8520 3")
@pytest.mark.requirement("R-80")
def test_every_file_is_compiled_or_refused_for_the_reason_that_is_stated(files):
    told = {}
    for path in files:
        try:
            told[path] = compiled(path.read_bytes())
        except ProtocolError as refusal:
            told[path] = refusal
    assert len(files) >= 90
    for path, outcome in told.items():
        expected = refusal_for(path)
        if expected is None:
            assert not isinstance(outcome, ProtocolError), f"{path.name}: {outcome}"
            assert len(outcome.rules) >= 7 or path.name == "tester_domain4.json", path.name
        else:
            assert (type(outcome), str(outcome).startswith(expected[1]), bool(outcome.spec)) == (
                expected[0],
                True,
                True,
            )


@pytest.mark.spec("RFC 8520 3.9")
def test_whatever_is_odd_in_a_file_is_told_with_its_place_and_clause(files):
    findings = [
        finding for path in files if refusal_for(path) is None for finding in compiled(path.read_bytes()).findings
    ]
    assert len(findings) > 100
    assert all(finding.place.startswith("/ietf-") and finding.spec for finding in findings)
    narrowing = {finding.message for finding in findings if finding.narrows}
    assert narrowing == {
        "an Ethernet rule, which filters at the network layer do not see",
        "an IPv4 prefix where IPv6 is due; the entry is left out",
    }


@pytest.fixture(scope="module")
def luminaire(shared):
    """The signed pair that was published: an EC signer of a demonstration, valid until 2028."""
    folder = shared / "vectors" / "mud" / "signed"
    return (folder / "Luminaire_150.json").read_bytes(), (folder / "Luminaire_150.p7s").read_bytes()


@pytest.fixture(scope="module")
def ciscopi(shared):
    """The file of the other pair, whose signature is not here: signed by a chain of the same kind, RSA and run out."""
    (path,) = (shared / "data" / "mud").rglob("ciscopi2.json")
    root = Authority("Root of signers", key=rsa.generate_private_key(65537, 2048))
    key = rsa.generate_private_key(65537, 2048)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    span = (datetime(2018, 10, 17, tzinfo=UTC), datetime(2021, 10, 17, 12, tzinfo=UTC))
    signer = root.sign("Signer of MUD files", key.public_key(), extensions=((usage, True),), span=span)
    data = path.read_bytes()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(data).add_signer(signer.x509, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    return data, builder.sign(Encoding.DER, options), root.certificate


def altered(data, position):
    return data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]


def all_refused(data, signature, policy, *, at, stride):
    for position in range(0, len(data), stride):
        with pytest.raises(AuthenticationError, match="not that of the MUD file"):
            admit(altered(data, position), signature, policy=policy, at=at)


@pytest.mark.spec("RFC 8520 13.2")
@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("stride", [97, pytest.param(1, marks=[pytest.mark.full, pytest.mark.slow])])
def test_the_published_pair_verifies_and_no_altered_byte_of_its_file_does(luminaire, stride):
    data, signature = luminaire
    policy = AdmissionPolicy("pinned", anchors=(claimed_signer(signature),))
    assert admit(data, signature, policy=policy, at=AT).file.url == "https://luminaire.example.com/Luminaire_150"
    all_refused(data, signature, policy, at=AT, stride=stride)


@pytest.mark.spec("RFC 5652 5.6")
@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=[pytest.mark.full, pytest.mark.slow])])
def test_no_altered_byte_of_the_published_signature_verifies(luminaire, stride):
    data, signature = luminaire
    policy = AdmissionPolicy("pinned", anchors=(claimed_signer(signature),))
    for position in range(0, len(signature), stride):
        with pytest.raises((DecodeError, AuthenticationError, UnsupportedError, UntrustedError, ExpiredError)):
            admit(data, altered(signature, position), policy=policy, at=AT)


@pytest.mark.slow
@pytest.mark.spec("RFC 5280 4.1.2.5")
def test_an_rsa_signer_that_ran_out_is_refused_and_taken_only_by_a_policy_that_names_it(ciscopi):
    data, signature, root = ciscopi
    policy = AdmissionPolicy("makers", anchors=(root,))
    with pytest.raises(ExpiredError, match="expired on 2021-10-17"):
        admit(data, signature, policy=policy, at=AT)
    lenient = AdmissionPolicy("old makers", anchors=(root,), insecure_expired_signer=True)
    admitted = admit(data, signature, policy=lenient, at=AT)
    assert (admitted.policy, admitted.signer_expires) == ("old makers", datetime(2021, 10, 17, 12, tzinfo=UTC))
    all_refused(data, signature, lenient, at=AT, stride=97)
    with pytest.raises(UntrustedError, match="expected a chain"):
        admit(data, signature, policy=AdmissionPolicy("nobody", insecure_expired_signer=True), at=AT)


def test_an_unsigned_file_is_refused_and_never_counts_as_signed(luminaire):
    data, signature = luminaire
    anchors = (claimed_signer(signature),)
    with pytest.raises(PolicyError, match="expects a signed MUD file"):
        admit(data, None, policy=AdmissionPolicy("pinned", anchors=anchors), at=AT)
    admitted = admit(data, None, policy=AdmissionPolicy("both", anchors=anchors, insecure_unsigned=True), at=AT)
    assert (admitted.signer, admitted.signer_expires) == (None, None)
    # A policy that takes unsigned files takes no broken signature for none.
    with pytest.raises(AuthenticationError):
        admit(data + b" ", signature, policy=AdmissionPolicy("both", anchors=anchors, insecure_unsigned=True), at=AT)


def test_the_time_of_a_check_is_the_policys_not_the_signers(ciscopi):
    data, signature, root = ciscopi
    early = datetime(2018, 10, 17, tzinfo=UTC) - timedelta(days=1)
    lenient = AdmissionPolicy("old makers", anchors=(root,), insecure_expired_signer=True)
    with pytest.raises(ExpiredError, match="not valid before"):
        admit(data, signature, policy=lenient, at=early)


def test_a_certificate_of_the_signature_is_what_is_looked_at_before_pinning(ciscopi):
    _, signature, _ = ciscopi
    assert isinstance(claimed_signer(signature), Certificate)
