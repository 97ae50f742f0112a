import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header
from thingstead.protocols.cose.header import Label


@pytest.mark.spec("RFC 9052 3")
@pytest.mark.parametrize(
    ("protected", "unprotected", "said"),
    [
        ({4: b"a"}, {4: b"b"}, "kid in both"),
        ({4: "a"}, {}, "another type of kid"),
        ({}, {1: None}, "another type of alg"),
        ({1: True}, {}, "another type of alg"),
        ({1.0: -9}, {}, "labels of int or tstr"),
        ({True: -9}, {}, "labels of int or tstr"),
        ({b"1": -9}, {}, "labels of int or tstr"),
        ({5: b"", 6: b""}, {}, "IV or Partial IV"),
        ({5: b""}, {6: b""}, "IV or Partial IV"),
        ({}, {2: [1]}, "crit in the protected bucket"),
        ({2: []}, {}, "at least one label"),
        ({2: [4]}, {4: b"a"}, "every label of crit"),
        ({2: [[1]]}, {}, "every label of crit"),
        ({2: 1}, {}, "another type of crit"),
    ],
)
def test_buckets_outside_the_grammar_are_refused(protected, unprotected, said):
    with pytest.raises(DecodeError, match=said):
        header.decode(codec.encode(protected), unprotected)


@pytest.mark.spec("RFC 9052 3")
@pytest.mark.parametrize("encoded", ["80", "01", "a1012600", "a10126a0", "a201260126", "a1"])
def test_a_protected_bucket_that_is_not_one_map_is_refused(encoded):
    with pytest.raises(DecodeError):
        header.decode(bytes.fromhex(encoded), {})


@pytest.mark.spec("RFC 9052 3.1")
def test_a_critical_parameter_that_nobody_obeys_is_refused():
    encoded = codec.encode({2: [-70000], -70000: 1})
    with pytest.raises(UnsupportedError, match="-70000"):
        header.decode(encoded, {})
    assert header.decode(encoded, {}, understood=frozenset({-70000})).parameter(-70000) == 1


@pytest.mark.spec("RFC 9052 3.1")
def test_a_critical_parameter_of_the_cose_layer_is_obeyed():
    assert header.decode(codec.encode({2: [1, 4], 1: -9, 4: b"k"}), {}).kid == b"k"


@pytest.mark.spec("RFC 9052 3.1")
def test_a_parameter_we_only_carry_cannot_be_critical():
    with pytest.raises(UnsupportedError):
        header.decode(codec.encode({2: [33], 33: b"cert"}), {})


@pytest.mark.spec("RFC 9052 3")
def test_an_empty_protected_bucket_is_the_empty_string():
    assert header.build({}, {}).encoded == b""
    assert header.decode(b"\xa0", {}).encoded == b""


def test_headers_do_not_change_once_they_are_read():
    headers = header.build({1: -9}, {4: b"k"})
    for bucket in (headers.protected, headers.unprotected):
        with pytest.raises(TypeError):
            bucket[1] = -7  # type: ignore[index]  # the point of the test


def test_an_unknown_label_is_carried():
    assert header.decode(b"", {"mine": [1], -70000: None}).parameter("mine") == [1]


@pytest.mark.spec("RFC 9052 3.1")
def test_a_named_algorithm_is_outside_every_policy():
    with pytest.raises(UnsupportedError, match="'ES256'"):
        header.decode(codec.encode({1: "ES256"}), {}).algorithm(frozenset({-7}))


@pytest.mark.spec("RFC 9052 3.1")
def test_no_algorithm_at_all_is_refused():
    with pytest.raises(DecodeError, match="expected alg"):
        header.decode(b"", {}).algorithm(frozenset({-9}))


def test_no_kid_is_an_empty_kid():
    assert header.decode(b"", {}).kid == b""


def test_every_row_is_under_its_own_label_and_names_its_source():
    assert all(label == row.label and row.source.startswith("RFC ") for label, row in header.REGISTRY.items())
    assert set(header.REGISTRY) == set(Label)
