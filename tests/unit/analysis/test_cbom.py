"""The document follows the schema of CycloneDX 1.6 where it says anything of cryptographic assets."""

import json
from datetime import UTC, datetime

import pytest

from thingstead.analysis.cbom import SPEC_VERSION, cbom
from thingstead.analysis.crypto_inventory import inventory
from thingstead.crypto.lifetime import JUDGEMENTS
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.plane import PlaneName
from thingstead.identifier import ThingId

pytestmark = pytest.mark.requirement("R-86")

AT = datetime(2026, 11, 23, tzinfo=UTC)
LAMP = ThingId("thing-aaaaaaaaaaaaaaaa")
PRIMITIVES = {"mac", "stream-cipher", "signature", "hash", "kdf", "key-agree", "kem", "ae", "pke", "other"}
MATERIALS = {"private-key", "credential", "token", "shared-secret", "signature"}
ONE_OF_EACH = [
    (PlaneName.ACCESS, CryptoAsset(kind, f"a {kind}", ("ESP256",), (LAMP,), AT, AT)) for kind in AssetKind
] + [(None, CryptoAsset(AssetKind.KEY, f"by {name}", (name,))) for name in JUDGEMENTS]


def document(held=ONE_OF_EACH, at=AT):
    return cbom(inventory(held, CryptoPolicy(), at=at, year=2035), domain="home", at=at, year=2035)


def assets():
    return [one for one in document()["components"] if one["bom-ref"].startswith("asset/")]


def algorithms():
    return [one for one in document()["components"] if one["bom-ref"].startswith("algorithm/")]


def test_its_head_names_the_format():
    head = document()
    assert (head["bomFormat"], head["specVersion"], head["version"]) == ("CycloneDX", SPEC_VERSION, 1)
    assert head["serialNumber"].startswith("urn:uuid:")
    assert head["metadata"]["timestamp"] == "2026-11-23T00:00:00Z"


def test_every_component_is_a_cryptographic_asset_of_one_of_the_four_types():
    for one in document()["components"]:
        assert one["type"] == "cryptographic-asset"
        kind = one["cryptoProperties"]["assetType"]
        assert kind in {"algorithm", "certificate", "protocol", "related-crypto-material"}
        assert len(one["cryptoProperties"]) == 2


def test_every_algorithm_that_is_judged_has_a_primitive_of_the_schema():
    found = {one["name"]: one["cryptoProperties"]["algorithmProperties"] for one in algorithms()}
    assert set(found) == set(JUDGEMENTS)
    assert {told["primitive"] for told in found.values()} <= PRIMITIVES
    assert found["ML-KEM-1024"]["primitive"] == "kem"
    assert found["X25519"] == {"primitive": "key-agree", "nistQuantumSecurityLevel": 0}
    assert "nistQuantumSecurityLevel" not in found["ML-DSA-44"]


def test_materials_and_certificates_have_their_dates_under_the_names_of_the_schema():
    by_name = {one["name"]: one["cryptoProperties"] for one in assets()}
    token = by_name["a token"]["relatedCryptoMaterialProperties"]
    assert (token["activationDate"], token["expirationDate"]) == ("2026-11-23T00:00:00Z",) * 2
    certificate = by_name["a certificate"]["certificateProperties"]
    assert (certificate["notValidBefore"], certificate["notValidAfter"]) == ("2026-11-23T00:00:00Z",) * 2
    materials = [one for one in by_name.values() if one["assetType"] == "related-crypto-material"]
    assert {one["relatedCryptoMaterialProperties"]["type"] for one in materials} == MATERIALS


def test_every_reference_leads_to_a_component():
    told = document()
    references = {one["bom-ref"] for one in told["components"]}
    assert len(references) == len(told["components"])
    for one in told["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= references


def test_who_depends_is_named_and_the_same_inventory_gives_the_same_document():
    named = {(one["name"], one["value"]) for one in assets()[0]["properties"]}
    assert ("thingstead:exposure-2035", "none") in named or ("thingstead:kind", "key") in named
    values = [value["value"] for one in assets() for value in one["properties"] if value["name"] == "thingstead:thing"]
    assert set(values) == {LAMP}
    assert json.dumps(document()) == json.dumps(document())
    assert document([])["serialNumber"] != document()["serialNumber"]
