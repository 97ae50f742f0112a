import json
from datetime import UTC, datetime

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.pack import parse_cbor, parse_json, render_cbor, render_json
from thingstead.protocols.senml.record import Limits, Record

AT = datetime(2026, 11, 23, tzinfo=UTC)
RECORDS = [
    Record("urn:dev:ow:1:temp", 1.5e9, 23.1, "Cel"),
    Record("urn:dev:ow:1:label", 1.5e9, "Machine Room"),
    Record("urn:dev:ow:1:open", 1.5e9 + 0.5, False, update_time=60),
    Record("urn:dev:ow:1:nfv", 1.5e9, b"hi \n", sum=7.5),
]


@pytest.mark.spec("RFC 8428 6")
def test_the_cbor_example_of_the_rfc_is_read():
    pack = bytes.fromhex(
        "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b0010622361412005006776"
        "6f6c7461676501615602fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e"
        "74062302fb3ff4cccccccccccda3006763757272656e74062202fb3ff6666666666666a3006763757272656e74062102f93e"
        "00a3006763757272656e74062002fb3ff999999999999aa3006763757272656e74060002fb3ffb333333333333"
    )
    records = parse_cbor(pack, at=AT)
    assert len(records) == 7
    assert records[0] == Record("urn:dev:ow:10e2073a0108006:voltage", 1276020076.001, 120.1, "V")
    assert records[-1] == Record("urn:dev:ow:10e2073a0108006:current", 1276020076.001, 1.7, "A")
    assert records[1].time == 1276020071.001


@pytest.mark.spec("RFC 8428 5")
def test_records_survive_both_forms():
    assert parse_cbor(render_cbor(RECORDS), at=AT) == RECORDS
    assert parse_json(render_json(RECORDS), at=AT) == RECORDS
    assert parse_json(render_json(RECORDS).encode(), at=AT) == RECORDS


@pytest.mark.spec("RFC 8428 4.3")
def test_data_travels_as_base64url_without_padding_in_json_only():
    assert json.loads(render_json(RECORDS))[-1]["vd"] == "aGkgCg"
    assert codec.decode(render_cbor(RECORDS))[-1][8] == b"hi \n"


@pytest.mark.spec("RFC 8428 6")
def test_a_decimal_fraction_is_a_number():
    pack = codec.encode([{0: "a", 2: codec.Tag(4, [-2, 2731])}])
    assert parse_cbor(pack, at=AT)[0].value == 27.31


@pytest.mark.parametrize(
    "pack",
    [
        {},
        [],
        [1],
        [{0: "a", 2: "1"}],
        [{0: "a", 2: True}],
        [{0: "a", 2: float("nan")}],
        [{0: "a", 2: float("inf")}],
        [{0: "a", 2: 1 << 64}],
        [{0: "a", 2: codec.Tag(4, [10**9, 1])}],
        [{0: "a", 2: codec.Tag(4, [1])}],
        [{0: "a", 2: codec.Tag(2, b"1")}],
        [{0: 1, 2: 1}],
        [{0: "a", 4: 1}],
        [{0: "a", 8: "aGk"}],
        [{0: "a", "v": 1}],
        [{0: "a", 99: 1, 2: 1}],
        [{0: "a", b"x": 1, 2: 1}],
        [{0: "a", "x": [1], 2: 1}],
        [{0: "a", -1: 10.0, 2: 1}],
        [{0: "a", -1: -1, 2: 1}],
        [{True: "a", 2: 1}],
    ],
)
def test_what_is_not_a_cbor_pack_is_refused(pack):
    with pytest.raises(DecodeError):
        parse_cbor(codec.encode(pack), at=AT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[1]",
        '[{"n":"a","v":"1"}]',
        '[{"n":"a","v":NaN}]',
        '[{"n":"a","v":-Infinity}]',
        '[{"n":"a","v":1e999}]',
        '[{"n":"a","v":' + "9" * 400 + "}]",
        '[{"n":"a","v":' + "9" * 5000 + "}]",
        '[{"n":"a","v":1,"v":2}]',
        '[{"n":"a","vb":1}]',
        '[{"n":"a","vd":"a"}]',
        '[{"n":"a","vd":"a+/="}]',
        '[{"n":"a","vs":"\\ud800"}]',
        '[{"n":"a","v":1,"x":"\\ud800"}]',
        '[{"n":"a","v":1,"x":null}]',
        '[{"n":"a","v":1}] x',
        "[" * 50_000,
        b"\xff[]",
        '[{"n":"a","v":1}]'.encode("utf-16"),
    ],
)
def test_what_is_not_a_json_pack_is_refused(text):
    with pytest.raises(DecodeError):
        parse_json(text, at=AT)


@pytest.mark.spec("RFC 8428 4.4")
def test_a_label_that_must_be_understood_is_refused_in_both_forms():
    with pytest.raises(UnsupportedError):
        parse_cbor(codec.encode([{0: "a", 2: 1, "x_": 1}]), at=AT)
    with pytest.raises(UnsupportedError):
        parse_json('[{"n":"a","v":1,"x_":1}]', at=AT)


@pytest.mark.parametrize(
    "limits", [Limits(max_bytes=20), Limits(max_records=3), Limits(max_text=10)], ids=["bytes", "records", "text"]
)
def test_a_pack_over_its_limits_is_refused(limits):
    with pytest.raises(DecodeError, match="at most"):
        parse_cbor(render_cbor(RECORDS), at=AT, limits=limits)
    with pytest.raises(DecodeError, match="at most"):
        parse_json(render_json(RECORDS), at=AT, limits=limits)


@pytest.mark.spec("RFC 8428 4.4")
def test_an_extension_is_a_number_a_text_or_a_boolean():
    (record,) = parse_json('[{"n":"a","v":1,"x":true,"y":"z","q":2}]', at=AT)
    assert record.extensions == (("q", 2), ("x", True), ("y", "z"))
    assert parse_cbor(render_cbor([record]), at=AT) == [record]


def test_a_label_over_the_limit_is_refused():
    with pytest.raises(DecodeError, match="at most 10"):
        parse_cbor(codec.encode([{0: "a", 2: 1, "x" * 11: 1}]), at=AT, limits=Limits(max_text=10))
