import pytest

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind, algorithm, fitting
from thingstead.crypto.judgement import Status
from thingstead.errors import UnsupportedError
from thingstead.secret import Secret


def test_every_number_has_one_row_that_names_its_source():
    assert set(REGISTRY) == set(AlgorithmId)
    assert all(number == row.id and row.source.startswith(("RFC ", "draft-")) for number, row in REGISTRY.items())


@pytest.mark.parametrize("number", [0, -1, 999, -65535])
@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
def test_an_unknown_number_is_refused(number, kind):
    with pytest.raises(UnsupportedError):
        algorithm(number, kind)


@pytest.mark.spec("RFC 9052 8")
@pytest.mark.parametrize("row", list(REGISTRY.values()), ids=lambda row: row.name)
def test_a_number_stands_for_its_own_kind_only(row):
    assert algorithm(row.id, row.kind) is row
    for kind in set(Kind) - {row.kind}:
        with pytest.raises(UnsupportedError):
            algorithm(row.id, kind)


@pytest.mark.spec("RFC 9864 2")
def test_an_algorithm_that_leaves_its_curve_open_is_accepted_but_not_chosen():
    for number in (AlgorithmId.ES256, AlgorithmId.ES384, AlgorithmId.ES512, AlgorithmId.EDDSA):
        assert REGISTRY[number].status is Status.ACCEPTABLE


def test_an_algorithm_fits_a_key_of_its_own_length_only():
    assert fitting(AlgorithmId.A128GCM, Kind.AEAD, Secret(bytes(16))).id is AlgorithmId.A128GCM
    for size in (0, 15, 17, 32):
        with pytest.raises(UnsupportedError):
            fitting(AlgorithmId.A128GCM, Kind.AEAD, Secret(bytes(size)))
