import pytest

from thingstead.analysis.detectors.plain_text import readable


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b"user=ann&PassWord=letmein", "password"),
        (b"GET / HTTP/1.1\r\nAuthorization: Basic YW5uOmFubg==", "password"),
        (b'{"Api_Key": "abcd1234"}', "token"),
        (b"authorization: bearer abcd\r\nAUTHORIZATION: BEARER abcd", "token"),
        (b'{"lat": 48.2082}', "place"),
        (b"mailto:ann@example.org;", "mail_address"),
        (b"a@b c Ann.Lee+x@Example.ORG;", "mail_address"),
        (b"to=ann@example.org&pwd=letmein", "password"),
    ],
)
def test_what_can_be_read_is_named_in_either_case(payload, what):
    assert readable(payload) == what


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"the password is not here",
        b"compass: true north",
        b"platform=linux",
        b"latency: 12.345 ms",
        b"api v2",
        b"x@y.z",
        b"ann@example.org",
        b" ann@ example.org ",
        bytes(range(256)) * 4,
    ],
)
def test_words_that_only_look_so_are_nothing(payload):
    assert readable(payload) is None
