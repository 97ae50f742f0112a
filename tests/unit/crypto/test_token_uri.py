import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingstead.crypto.token_uri import TokenUri, parse
from thingstead.errors import DecodeError

MODULE = "?module-path=/usr/lib/m.so"


@pytest.mark.spec("RFC 7512 2.3")
def test_a_uri_names_one_key_of_one_token():
    uri = parse(
        "pkcs11:token=My%20Token;serial=01ab;object=release;id=%00%FF;type=private?module-path=/m.so&pin-source=file:///pin"
    )
    assert uri == TokenUri("/m.so", "My Token", "01ab", "release", b"\x00\xff", "/pin")


@pytest.mark.spec("RFC 7512 2.3")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with pkcs11:"),
        ("http://a", "begins with pkcs11:"),
        ("pkcs11:object=a", "expected a module-path"),
        (f"pkcs11:token=a{MODULE}", "expected the object or the id"),
        (f"pkcs11:object=a;object=b{MODULE}", "expected object once"),
        (f"pkcs11:object={MODULE}", "expected a value for object"),
        (f"pkcs11:object=a%00{MODULE}", "expected text in object"),
        (f"pkcs11:object=%FF{MODULE}", "expected UTF-8 in object"),
        (f"pkcs11:object=a;colour=red{MODULE}", "got colour"),
        (f"pkcs11:object=a;type=public{MODULE}", "expected a private key"),
        (f"pkcs11:object=a{MODULE}&pin-value=1234", "expected the PIN in a file"),
        (f"pkcs11:object=a b{MODULE}", "expected attributes such as"),
        ("pkcs11:" + "a" * 1024, "begins with pkcs11:"),
    ],
)
def test_another_uri_is_refused(text, says):
    with pytest.raises(DecodeError, match=says):
        parse(text)


def test_a_pin_is_never_in_the_message():
    with pytest.raises(DecodeError) as refused:
        parse(f"pkcs11:object=a{MODULE}&pin-value=98765")
    assert "98765" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        parse(f"pkcs11:{text}")
    except DecodeError:
        return
