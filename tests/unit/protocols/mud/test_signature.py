from datetime import timedelta

import pytest

from tests.unit.protocols.mud.fixture import AT, URL, bent
from thingstead.crypto.authority import make_authority, make_server, make_signer
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    PolicyError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.mud.signature import AdmissionPolicy, AdmittedMudFile, admit, claimed_signer

YEAR = timedelta(days=365)
SPAN = {"not_before": AT - YEAR, "not_after": AT + YEAR}
AUTHORITY = make_authority("Maker", **SPAN)
SIGNER = make_signer("Signer of MUD files", AUTHORITY, **SPAN)
POLICY = AdmissionPolicy("makers", anchors=(AUTHORITY.certificate,))
DATA = bent()
SIGNATURE = SIGNER.sign_detached(DATA)


@pytest.mark.spec("RFC 8520 13.2")
@pytest.mark.requirement("R-80")
def test_a_file_signed_under_an_anchor_is_admitted_with_its_signer():
    admitted = admit(DATA, SIGNATURE, policy=POLICY, at=AT, url=URL)
    assert (admitted.signer, admitted.policy) == ("CN=Signer of MUD files", "makers")
    assert admitted.file.url == URL
    assert admitted.signer_expires == AT + YEAR
    assert admitted.signer_algorithm == "ecdsa-with-SHA256"


@pytest.mark.spec("RFC 8520 13.2")
@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("change", [DATA + b" ", DATA[:-1], bent("/ietf-mud:mud/systeminfo", "Another lamp")])
def test_a_changed_file_is_refused_before_it_is_read(change):
    with pytest.raises(AuthenticationError, match="not that of the MUD file"):
        admit(change, SIGNATURE, policy=POLICY, at=AT)


@pytest.mark.spec("RFC 5652 5.6")
@pytest.mark.requirement("R-80")
def test_a_signature_that_another_key_made_is_refused():
    forged = SIGNATURE[:-1] + bytes([SIGNATURE[-1] ^ 1])
    with pytest.raises(AuthenticationError, match="does not verify"):
        admit(DATA, forged, policy=POLICY, at=AT)


@pytest.mark.requirement("R-80")
def test_a_signature_by_a_stranger_is_refused():
    stranger = make_authority("Maker", **SPAN)
    with pytest.raises(UntrustedError, match="expected a chain"):
        admit(DATA, make_signer("x", stranger, **SPAN).sign_detached(DATA), policy=POLICY, at=AT)
    with pytest.raises(UntrustedError, match="expected a chain"):
        admit(DATA, SIGNATURE, policy=AdmissionPolicy("nobody"), at=AT)


def test_a_signer_may_be_pinned_itself():
    pinned = AdmissionPolicy("pinned", anchors=(claimed_signer(SIGNATURE),))
    assert admit(DATA, SIGNATURE, policy=pinned, at=AT).signer == "CN=Signer of MUD files"


@pytest.mark.spec("RFC 8520 13.2")
def test_a_certificate_that_may_not_sign_is_refused():
    pinned = AdmissionPolicy("pinned", anchors=(AUTHORITY.certificate,))
    with pytest.raises(UntrustedError, match="digitalSignature"):
        admit(DATA, AUTHORITY.sign_detached(DATA), policy=pinned, at=AT)


def test_a_signer_below_a_signer_is_no_authority():
    below = make_signer("below", SIGNER, **SPAN)
    with pytest.raises(UntrustedError, match="it ends at CN=below"):
        admit(DATA, below.sign_detached(DATA), policy=POLICY, at=AT)


@pytest.mark.spec("RFC 5280 4.1.2.5")
def test_an_expired_signer_is_refused_unless_the_policy_says_otherwise():
    with pytest.raises(ExpiredError, match="expired on"):
        admit(DATA, SIGNATURE, policy=POLICY, at=AT + 2 * YEAR)
    lenient = AdmissionPolicy("old", anchors=POLICY.anchors, insecure_expired_signer=True)
    assert admit(DATA, SIGNATURE, policy=lenient, at=AT + 2 * YEAR).policy == "old"
    with pytest.raises(ExpiredError, match="not valid before"):
        admit(DATA, SIGNATURE, policy=lenient, at=AT - 2 * YEAR)


def test_an_unsigned_file_needs_a_policy_that_says_so():
    with pytest.raises(PolicyError, match="expects a signed MUD file"):
        admit(DATA, None, policy=POLICY, at=AT)
    admitted = admit(DATA, None, policy=AdmissionPolicy("lab", insecure_unsigned=True), at=AT)
    assert (admitted.signer, admitted.policy) == (None, "lab")


@pytest.mark.spec("RFC 8520 3.2")
def test_a_file_that_speaks_for_another_url_is_refused():
    with pytest.raises(UntrustedError, match="expected the MUD file of"):
        admit(DATA, SIGNATURE, policy=POLICY, at=AT, url="https://maker.example/other")


@pytest.mark.parametrize(
    "signature", [b"", b"\x30\x00", SIGNATURE[:-3], SIGNATURE + b"\x00", b"\x30" * 70_000, b"\x30\x84\xff\xff\xff\xff"]
)
def test_what_is_not_a_detached_signature_is_refused(signature):
    with pytest.raises(DecodeError):
        admit(DATA, signature, policy=POLICY, at=AT)


def test_each_changed_byte_of_a_signature_is_refused_or_without_effect():
    for position in range(len(SIGNATURE)):
        changed = SIGNATURE[:position] + bytes([SIGNATURE[position] ^ 0x01]) + SIGNATURE[position + 1 :]
        try:
            admitted = admit(DATA, changed, policy=POLICY, at=AT)
        except (DecodeError, AuthenticationError, UntrustedError, UnsupportedError, ExpiredError):
            continue
        assert admitted.signer == "CN=Signer of MUD files"


def test_nobody_else_makes_an_admitted_file():
    file = admit(DATA, SIGNATURE, policy=POLICY, at=AT).file
    with pytest.raises(TypeError, match=r"from admit\(\) alone"):
        AdmittedMudFile(file, "me", "mine", None, "", object())


def test_a_server_certificate_may_sign_too_but_shows_whose_it_is():
    server = make_server("127.0.0.1", AUTHORITY, **SPAN)
    assert admit(DATA, server.sign_detached(DATA), policy=POLICY, at=AT).signer == "CN=127.0.0.1"


@pytest.mark.spec("RFC 8520 13.2")
def test_a_real_signed_file_verifies_and_does_not_when_changed(shared):
    folder = shared / "vectors" / "mud" / "signed"
    data, signature = (folder / "Luminaire_150.json").read_bytes(), (folder / "Luminaire_150.p7s").read_bytes()
    policy = AdmissionPolicy("pinned", anchors=(claimed_signer(signature),))
    assert admit(data, signature, policy=policy, at=AT).file.url == "https://luminaire.example.com/Luminaire_150"
    with pytest.raises(AuthenticationError):
        admit(data.replace(b"443", b"444"), signature, policy=policy, at=AT)
    with pytest.raises(ExpiredError, match="expired on 2028-07-09"):
        admit(data, signature, policy=policy, at=AT + 2 * YEAR)
