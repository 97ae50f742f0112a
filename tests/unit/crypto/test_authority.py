from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from thingstead.crypto.authority import Signer, certify_client, make_authority, make_server, make_signer
from thingstead.crypto.certificate import verify_chain
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.secret import Secret

AT = datetime(2026, 11, 23, tzinfo=UTC)
SPAN = {"not_before": AT, "not_after": AT + timedelta(days=1)}
AUTHORITY = make_authority("Maker", **SPAN)


def extension(signer, kind):
    return signer.certificate.x509.extensions.get_extension_for_class(kind)


@pytest.mark.spec("RFC 5280 4.2.1.9")
def test_an_authority_issues_signers_and_no_further_authorities():
    constraints = extension(AUTHORITY, x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert extension(AUTHORITY, x509.KeyUsage).value.key_cert_sign


@pytest.mark.spec("RFC 8520 13.2")
@pytest.mark.parametrize("make", [make_signer, make_server])
def test_who_is_under_an_authority_may_sign_and_not_issue(make):
    one = make("files.maker.example", AUTHORITY, **SPAN)
    assert one.certificate.may_sign
    assert not extension(one, x509.KeyUsage).value.key_cert_sign
    assert not extension(one, x509.BasicConstraints).value.ca
    below = make_signer("below", one, **SPAN)
    with pytest.raises(UntrustedError):
        verify_chain(below.certificate, (one.certificate,), anchors=(AUTHORITY.certificate,), at=AT)


@pytest.mark.spec("RFC 5280 4.2.1.6")
@pytest.mark.parametrize(
    ("host", "kind", "value"),
    [
        ("files.maker.example", x509.DNSName, "files.maker.example"),
        ("192.0.2.1", x509.IPAddress, "192.0.2.1"),
        ("2001:db8::1", x509.IPAddress, "2001:db8::1"),
        ("999.0.2.1", x509.DNSName, "999.0.2.1"),
    ],
)
def test_a_server_has_its_host_as_its_one_name(host, kind, value):
    names = extension(make_server(host, AUTHORITY, **SPAN), x509.SubjectAlternativeName).value
    assert [(type(name), str(name.value)) for name in names] == [(kind, value)]


def test_a_signer_of_files_is_no_server():
    extensions = make_signer("signer", AUTHORITY, **SPAN).certificate.x509.extensions
    for kind in (x509.ExtendedKeyUsage, x509.SubjectAlternativeName):
        with pytest.raises(x509.ExtensionNotFound):
            extensions.get_extension_for_class(kind)


def test_two_authorities_of_one_name_have_neither_key_nor_number_in_common():
    other = make_authority("Maker", **SPAN)
    assert other.certificate.key_identifier != AUTHORITY.certificate.key_identifier
    assert other.certificate.serial_number != AUTHORITY.certificate.serial_number


def test_an_end_before_the_beginning_is_refused():
    with pytest.raises(ValueError, match="not valid after"):
        make_authority("Maker", not_before=AT, not_after=AT - timedelta(seconds=1))


@pytest.mark.parametrize("key_pem", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_signer_whose_key_is_damaged_signs_nothing(key_pem):
    damaged = Signer(AUTHORITY.certificate, Secret(key_pem))
    with pytest.raises(ValueError, match=r"."):
        damaged.sign_detached(b"data")
    with pytest.raises(ValueError, match=r"."):
        make_signer("signer", damaged, **SPAN)


def test_a_key_that_is_on_no_curve_of_ours_signs_nothing():
    key_pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(TypeError, match="EC key"):
        Signer(AUTHORITY.certificate, Secret(key_pem)).sign_detached(b"data")


@pytest.mark.spec("RFC 8520 13.1")
def test_a_detached_signature_carries_who_issued_its_signer_and_not_the_data():
    data = b"what was signed, and goes another way"
    signer = make_signer("signer", AUTHORITY, **SPAN)
    signature = signer.sign_detached(data)
    assert data not in signature
    assert all(one.der in signature for one in (signer.certificate, AUTHORITY.certificate))
    assert AUTHORITY.certificate.der in AUTHORITY.sign_detached(data)


KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}


def request(key, *, form=serialization.Encoding.PEM):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Thingstead home")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(form)


@pytest.mark.spec("RFC 2986 4")
@pytest.mark.parametrize("form", [serialization.Encoding.PEM, serialization.Encoding.DER])
@pytest.mark.parametrize("kind", KEYS)
def test_a_client_is_what_its_authority_says_and_not_what_it_asks_to_be(kind, form):
    authority = make_authority("Home", **SPAN)
    made = certify_client(request(KEYS[kind](), form=form), authority, name="thing-a", **SPAN)
    assert made.subject == "CN=thing-a"
    assert verify_chain(made, (), anchors=(authority.certificate,), at=AT)
    said = made.x509.extensions
    assert said.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert list(said.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (b"", DecodeError),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n", DecodeError),
        (request(KEYS["P-256"](), form=serialization.Encoding.DER)[:-9], DecodeError),
        (request(KEYS["P-256"](), form=serialization.Encoding.DER)[:-1] + b"\x00", AuthenticationError),
        (request(rsa.generate_private_key(65537, 1024)), UnsupportedError),
        (request(dsa.generate_private_key(2048)), UnsupportedError),
    ],
)
def test_what_is_no_request_of_a_key_that_is_strong_enough_is_refused(asked, error):
    with pytest.raises(error):
        certify_client(asked, make_authority("Home", **SPAN), name="thing-a", **SPAN)
