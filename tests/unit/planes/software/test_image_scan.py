"""Whatever looks like a secret here is put together when the test runs; none stands in this file."""

import base64
import gzip
import json
import string

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from thingstead.analysis.image_scan import Finding, Limits
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import PolicyError
from thingstead.planes.software.image_scan import scan
from thingstead.protocols.cbor import codec

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def text(alphabet, size):
    return "".join([alphabet[(number * 37 + 11) % len(alphabet)] for number in range(size)])


def scattered(parts):
    """An image with each part behind zero bytes, and where the parts are."""
    image, places = b"", {}
    for rule, part in parts:
        image += bytes(64)
        places[len(image)] = rule
        image += part
    return image + bytes(64), places


def der(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.DER, form, NoEncryption())


def rules_near(findings, place, size=96):
    return {finding.rule for finding in findings if place <= finding.offset < place + size}


@pytest.mark.requirement("R-88")
def test_an_rsa_key_with_a_short_private_exponent_is_found():
    """One key in thirty has one below 2**2040, whose length takes another form in DER."""
    key = bytes.fromhex("308204a202010002820101 00") + bytes(256) + bytes.fromhex("0203010001 0281ff") + bytes(255)
    image, places = scattered([("private_key_der", key)])
    assert [rule for place, rule in places.items() if rule not in rules_near(scan(image), place)] == []


@pytest.mark.requirement("R-88")
@pytest.mark.slow
def test_private_keys_are_found_in_every_form():
    elliptic, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    modulus = rsa.generate_private_key(65537, 2048)
    own = generate(KeyType.P256)
    cose = {1: 2, -1: 1, -2: own.public.x, -3: own.public.y, -4: own.private_bytes().reveal()}
    image, places = scattered(
        [
            ("private_key_pem", elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
            ("private_key_pem", edwards.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())),
            ("private_key_der", der(elliptic)),
            ("private_key_der", der(elliptic, PrivateFormat.TraditionalOpenSSL)),
            ("private_key_der", der(ec.generate_private_key(ec.SECP384R1()))),
            ("private_key_der", der(edwards)),
            ("private_key_der", der(modulus)),
            ("private_key_der", der(modulus, PrivateFormat.TraditionalOpenSSL)),
            ("private_key_der", der(mldsa.MLDSA44PrivateKey.generate())),
            ("private_key_cose", codec.encode(cose)),
        ]
    )
    findings = scan(image)
    assert [(place, rule) for place, rule in places.items() if rule not in rules_near(findings, place)] == []


@pytest.mark.requirement("R-88")
def test_tokens_passwords_and_radio_keys_are_found():
    password = text(LETTERS, 14)
    image, places = scattered(
        [
            ("cloud_token", ("AKIA" + text(string.ascii_uppercase + "234567", 16)).encode()),
            ("cloud_token", ("gh" + "p_" + text(LETTERS, 36)).encode()),
            ("cloud_token", ("gl" + "pat-" + text(LETTERS, 20)).encode()),
            ("cloud_token", ("AI" + "za" + text(LETTERS, 35)).encode()),
            ("cloud_token", ("xo" + "xb-" + text(string.digits, 12) + "-" + text(LETTERS, 24)).encode()),
            ("cloud_token", ("sk" + "_live_" + text(LETTERS, 24)).encode()),
            ("cloud_token", f"Authorization: Bearer {text(LETTERS, 40)}".encode()),
            ("cloud_token", f"SharedAccessKey={text(LETTERS, 43)}=".encode()),
            ("credential_in_url", f"mqtts://thing:{password}@broker.example".encode()),
            ("credential_in_url", f"https://host.example/api?token={text(LETTERS, 32)}".encode()),
            ("password_hash", f"root:$6${text(LETTERS, 16)}${text(LETTERS, 86)}:18000:".encode()),
            ("password_in_config", f'mqtt_password = "{password}"'.encode()),
            ("password_in_config", f"\nadmin.password={password}\n".encode()),
            ("password_in_config", f"\napi_key: {password}\n".encode()),
            ("wifi_key", f'network={{\n psk="{password}"\n}}'.encode()),
            ("wifi_key", f"wpa_passphrase={password}".encode()),
            ("wifi_key", f"option key '{password}'".encode()),
            ("wifi_key", f"wl0_wpa_psk={password}".encode()),
            ("e_mail_address", b"\n".join([b"%d,user%d@people.example" % (row, row) for row in range(9)])),
        ]
    )
    findings = scan(image)
    assert [(place, rule) for place, rule in places.items() if rule not in rules_near(findings, place)] == []
    assert all(password not in f"{finding}" for finding in findings)


@pytest.mark.requirement("R-88")
def test_what_a_clean_image_holds_is_not_found():
    own = generate(KeyType.P256).public
    image, _ = scattered(
        [
            (None, b"-----BEGIN RSA PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----\0"),
            (None, b"-----BEGIN PUBLIC KEY-----\n" + text(LETTERS, 64).encode()),
            (None, codec.encode({1: 2, -1: 1, -2: own.x, -3: own.y})),
            (None, b"Enter password: \0Wrong password, try again\0password=%s\0"),
            (None, b"Copyright 2026 A. Author <author@project.example>"),
            (None, b"https://host.example/path?user=1"),
            (None, bytes(range(256)) * 64),
        ]
    )
    assert scan(image) == []


@pytest.mark.requirement("R-88")
def test_what_is_packed_is_found_at_the_place_where_it_begins():
    secret = f'password = "{text(LETTERS, 14)}"'.encode() * 3
    image = bytes(128) + gzip.compress(secret) + bytes(32)
    found = scan(image)
    assert found == [Finding("password_in_config", 128, "password or key in a configuration, in gzip")]
    assert scan(bytes(128) + gzip.compress(b"nothing at all " * 20)) == []


@pytest.mark.requirement("R-88")
def test_a_login_of_curl_and_a_header_are_found_and_examples_are_not():
    word = text(LETTERS, 12)
    for line in (f"curl -u 'ben:{word}' host", f'curl --user "{word}:" host', f'curl -H "X-Api-Key: {word}" host'):
        assert {one.rule for one in scan(line.encode())} == {"credential_in_url"}
    for line in ("curl -u user:password host", "curl -u ben:$PASS host", 'curl -H "Accept: application/json" host'):
        assert scan(line.encode()) == []


@pytest.mark.requirement("R-88")
@pytest.mark.parametrize(
    ("header", "is_token"), [({"alg": "HS256"}, True), ({"alg": "none", "typ": "JWT"}, True), ({"typ": "JWT"}, False)]
)
def test_a_token_of_claims_is_one_where_its_header_names_an_algorithm(header, is_token):
    parts = [json.dumps(one).encode() for one in (header, {"sub": "1234567890", "name": "somebody"})]
    token = b".".join([base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts])
    assert bool(scan(b"x " + token + b"." + text(LETTERS, 43).encode())) is is_token


def test_credits_of_authors_are_no_list():
    authors = "\n".join([f"Author {number} <author{number}@project.example>" for number in range(9)])
    assert scan(authors.encode()) == []


def test_an_image_over_the_limit_is_not_let_through():
    with pytest.raises(PolicyError, match="at most 10"):
        scan(bytes(11), limits=Limits(max_bytes=10))


def test_an_image_that_is_not_looked_through_in_time_is_not_let_through():
    with pytest.raises(PolicyError, match="looked through"):
        scan(bytes(1 << 16), limits=Limits(timeout=0))


def test_places_are_counted_up_to_a_limit_and_the_image_is_refused_all_the_same():
    assert len(scan(b'password = "w1ndm1ll"\n' * 50, limits=Limits(max_matches=7))) == 7


def test_no_finding_shows_what_was_found():
    secret = text(LETTERS, 20)
    (finding,) = scan(f'password = "{secret}"'.encode())
    assert secret not in repr(finding)
    assert (finding.offset, finding.what) == (0, "password or key in a configuration")
