from types import SimpleNamespace
from typing import Any

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_asset import AssetKind
from thingstead.identifier import ThingId
from thingstead.planes.software.asset import software_assets
from thingstead.planes.software.release import ClassKey, Line

pytestmark = pytest.mark.requirement("R-86")

LAMP = ThingId("thing-aaaaaaaaaaaaaaaa")
KEYS = tuple([generate(kind).public for kind in (KeyType.P256, KeyType.ML_DSA_44)])
ACME = TrustAnchor("acme", KEYS[0], KEYS, bytes(16))
RELEASE: Any = SimpleNamespace(version="2.0", use_before=None)


def line(source):
    return Line(ClassKey(bytes(16), bytes(16)), source)


def listed(offered):
    return list(software_assets([ACME], lambda source: [LAMP] if source == "acme" else [], offered))


def test_each_update_key_is_told_with_who_takes_what_it_signs():
    assert [(one.kind, one.algorithms, one.things) for one in listed({})] == [
        (AssetKind.KEY, ("ESP256",), (LAMP,)),
        (AssetKind.KEY, ("ML-DSA-44",), (LAMP,)),
    ]


def test_a_release_holds_while_all_keys_of_its_source_do():
    *_, release = listed({line("acme"): RELEASE})
    assert (release.kind, release.name, release.algorithms) == (
        AssetKind.SIGNATURE,
        "release 2.0 of acme",
        ("ESP256", "ML-DSA-44"),
    )


def test_a_release_of_whom_nobody_trusts_any_more_is_no_asset():
    assert len(listed({line("nobody"): RELEASE})) == 2
