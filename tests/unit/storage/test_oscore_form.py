import json

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.secret import Secret
from thingstead.storage.oscore_context import OscoreParameters
from thingstead.storage.oscore_form import (
    AiocoapContext,
    parse_aiocoap,
    parse_libcoap,
    parse_sequence,
    render_aiocoap,
    render_libcoap,
)

# The vector keys of RFC 8613 appendix C.1: published, they protect nothing.
SECRET, SALT = bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340")
FULL = OscoreParameters(
    Secret(SECRET), b"\x01", b"", SALT, b"\x37", AlgorithmId.AES_CCM_16_64_256, AlgorithmId.SHA_512, window=48
)
PLAIN = OscoreParameters(Secret(SECRET), b"client", b"server")
MANUAL = b"""
# Master Secret (same for both client and server)
master_secret,hex,"0102030405060708090a0b0c0d0e0f10"
master_salt,hex,"9e7ca92223786340"
sender_id,ascii,"client"
recipient_id,ascii,server\r
replay_window,integer,32
aead_alg,text,"AES-CCM-16-64-128"
hkdf_alg,integer,-10
rfc8613_b_2,bool,false
ssn_freq,integer,10
"""
SETTINGS = {"sender-id_hex": "01", "recipient-id_ascii": "b", "secret_hex": SECRET.hex()}


@pytest.mark.parametrize("parameters", [FULL, PLAIN, FULL.mirrored()])
def test_what_is_written_is_read(parameters):
    assert parse_libcoap(render_libcoap(parameters)) == parameters
    assert parse_aiocoap(render_aiocoap(AiocoapContext(parameters, 0, is_new=True))) == AiocoapContext(
        parameters, 0, True
    )


def test_the_file_of_libcoaps_manual_is_read():
    assert parse_libcoap(MANUAL) == OscoreParameters(Secret(SECRET), b"client", b"server", SALT)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda text: text.replace(b"master_secret", b"#"), DecodeError, "master_secret"),
        (lambda text: text.replace(b"sender_id,ascii", b"sender_id,integer"), DecodeError, "line 5"),
        (lambda text: text.replace(b"0102", b"01z2"), DecodeError, "line 3"),
        (lambda text: text.replace(b"0102", b"012"), DecodeError, "line 3"),
        (lambda text: text + b'recipient_id,ascii,"other"\n', DecodeError, "another in line 12"),
        (lambda text: text.replace(b"server", b"client"), DecodeError, "two different identifiers"),
        (lambda text: text.replace(b"server", b"long server"), DecodeError, "at most 7 bytes"),
        (lambda text: text.replace(b"b_2,bool,false", b"b_2,bool,true"), UnsupportedError, "rfc8613_b_2"),
        (lambda text: text.replace(b"ssn_freq", b"colour"), UnsupportedError, "colour"),
        (lambda text: text.replace(b"hkdf_alg,integer,-10", b"hkdf_alg,integer,-12"), UnsupportedError, "HKDF"),
        (lambda text: text.replace(b"AES-CCM-16-64-128", b"ROT13"), UnsupportedError, "ROT13"),
        (lambda text: text.replace(b"window,integer,32", b"window,integer,0"), DecodeError, "window"),
        (lambda text: b"sender_id", DecodeError, "line 1"),
        (lambda text: text + b"#" * (1 << 17), DecodeError, "at most"),
        (lambda text: b"\xff\x00" + text, DecodeError, "line 1"),
    ],
)
def test_what_libcoap_would_not_read_as_we_do_is_refused_and_no_secret_told(change, error, says):
    with pytest.raises(error, match=says) as refused:
        parse_libcoap(change(MANUAL))
    assert "0102030405" not in str(refused.value)


def test_libcoap_is_given_no_window_and_no_hash_that_it_does_not_have():
    large = OscoreParameters(Secret(SECRET), b"1", b"2", window=128)
    assert parse_libcoap(render_libcoap(large)).window == 63
    odd = OscoreParameters(Secret(SECRET), b"1", b"2", digest_id=AlgorithmId.SHA_384)
    gcm = OscoreParameters(Secret(SECRET), b"1", b"2", aead_id=AlgorithmId.A128GCM)
    for unknown in (odd, gcm):
        with pytest.raises(UnsupportedError):
            render_libcoap(unknown)
    with pytest.raises(UnsupportedError):
        render_aiocoap(AiocoapContext(odd, 0, is_new=True))


@pytest.mark.parametrize(("data", "number"), [(b"0\n", 0), (b"256\n", 256), (b"17", 17)])
def test_libcoaps_sequence_file_is_read(data, number):
    assert parse_sequence(data) == number


@pytest.mark.parametrize("data", [b"", b"-1\n", b"x", b"1 2", "\u00b2".encode(), b"\xff"])
def test_a_sequence_file_without_one_number_is_refused(data):
    with pytest.raises(DecodeError):
        parse_sequence(data)


@pytest.mark.spec("RFC 8613 B.1")
def test_a_used_context_carries_its_number_to_aiocoap_and_no_window():
    files = render_aiocoap(AiocoapContext(PLAIN, 7, is_new=False))
    assert json.loads(files["sequence.json"]) == {"next-to-send": 7, "received": "unknown"}
    assert parse_aiocoap(files) == AiocoapContext(PLAIN, 7, is_new=False)
    assert SECRET.hex().encode() not in files["settings.json"]


def test_aiocoaps_keys_may_stand_in_either_file():
    read = parse_aiocoap({"settings.json": json.dumps(SETTINGS).encode()})
    assert read == AiocoapContext(OscoreParameters(Secret(SECRET), b"\x01", b"b"), 0, is_new=True)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({}, DecodeError),
        ({"settings.json": b"{"}, DecodeError),
        ({"settings.json": b"[]"}, DecodeError),
        ({"settings.json": b"[" * 50_000}, DecodeError),
        ({"settings.json": SETTINGS | {"sender-id_hex": "0"}}, DecodeError),
        ({"settings.json": SETTINGS | {"sender-id_hex": 7}}, DecodeError),
        ({"settings.json": SETTINGS | {"sender-id_ascii": "x"}}, DecodeError),
        ({"settings.json": SETTINGS | {"window": "32"}}, DecodeError),
        ({"settings.json": SETTINGS | {"algorithm": "ROT13"}}, UnsupportedError),
        ({"settings.json": SETTINGS | {"algorithm": []}}, UnsupportedError),
        ({"settings.json": SETTINGS | {"kdf-hashfun": "md5"}}, UnsupportedError),
        ({"settings.json": SETTINGS, "secret.json": {"secret_hex": SECRET.hex()}}, DecodeError),
        ({"settings.json": SETTINGS, "sequence.json": {}}, DecodeError),
        ({"settings.json": SETTINGS, "sequence.json": {"next-to-send": -1}}, DecodeError),
        ({"settings.json": SETTINGS, "sequence.json": {"next-to-send": True}}, DecodeError),
    ],
)
def test_what_aiocoap_would_not_read_as_we_do_is_refused(files, error):
    given = {name: value if isinstance(value, bytes) else json.dumps(value).encode() for name, value in files.items()}
    with pytest.raises(error):
        parse_aiocoap(given)
