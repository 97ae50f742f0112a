"""The inventory as a cryptographic bill of materials (CycloneDX 1.6, ECMA-424 §5.2, cryptographic assets)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from thingstead.analysis.crypto_inventory import AssetRow
from thingstead.crypto.algorithm import REGISTRY, Kind
from thingstead.crypto.digest import digest
from thingstead.crypto.judgement import Quantum
from thingstead.crypto.lifetime import judgement
from thingstead.domain.crypto_asset import AssetKind

__all__ = ["SPEC_VERSION", "cbom"]

SPEC_VERSION = "1.6"

_PRIMITIVES: Mapping[Kind, str] = {
    Kind.SIGNATURE: "signature",
    Kind.MAC: "mac",
    Kind.AEAD: "ae",
    Kind.STREAM: "stream-cipher",
    Kind.DIGEST: "hash",
    Kind.KDF: "kdf",
    Kind.AGREEMENT: "key-agree",
    Kind.KEY_WRAP: "other",
    Kind.AGREEMENT_WRAP: "key-agree",
    Kind.HPKE: "pke",
    Kind.HPKE_WRAP: "pke",
}
_BY_QUANTUM: Mapping[Quantum, str] = {
    Quantum.READ: "key-agree",
    Quantum.FORGED: "signature",
    Quantum.RESISTANT: "kem",
}
_MATERIAL: Mapping[AssetKind, str] = {
    AssetKind.KEY: "private-key",
    AssetKind.CREDENTIAL: "credential",
    AssetKind.TOKEN: "token",
    AssetKind.CONTEXT: "shared-secret",
    AssetKind.SIGNATURE: "signature",
}
_BY_NAME = {row.name: row for row in REGISTRY.values()}


def cbom(rows: Sequence[AssetRow], *, domain: str, at: datetime, year: int) -> dict[str, Any]:
    """Render; the same inventory gives the same document. No key and no token is in it, only that they are there.

    Args:
        rows: see `inventory`.
        domain: its name.
        at: when it was taken, UTC.
        year: that exposure is told for.
    """
    named = sorted({name for row in rows for name in row.algorithms})
    components = [*map(_algorithm, named), *[_asset(number, row, year) for number, row in enumerate(rows, 1)]]
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    seed = "\n".join([domain, stamp, *[repr(row) for row in rows]]).encode()
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{UUID(bytes=digest(seed)[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": stamp,
            "component": {"type": "application", "name": f"domain {domain}", "bom-ref": "domain"},
        },
        "components": components,
        "dependencies": [_dependency(number, row) for number, row in enumerate(rows, 1)],
    }


def _algorithm(name: str) -> dict[str, Any]:
    row, opinion = _BY_NAME.get(name), judgement(name)
    primitive = _BY_QUANTUM[opinion.quantum] if row is None else _PRIMITIVES[row.kind]
    told: dict[str, Any] = {"primitive": primitive}
    if opinion.quantum is not Quantum.RESISTANT:
        told["nistQuantumSecurityLevel"] = 0
    dates = {"deprecated-after": opinion.deprecated_after, "sunset": opinion.sunset}
    return {
        "type": "cryptographic-asset",
        "bom-ref": _reference(name),
        "name": name,
        "cryptoProperties": {"assetType": "algorithm", "algorithmProperties": told},
        "properties": _properties(
            {
                "status": opinion.status.value,
                "quantum": opinion.quantum.value,
                "source": opinion.source,
                **{key: day.isoformat() for key, day in dates.items() if day is not None},
            }
        ),
    }


def _asset(number: int, row: AssetRow, year: int) -> dict[str, Any]:
    return {
        "type": "cryptographic-asset",
        "bom-ref": f"asset/{number}",
        "name": row.name,
        "cryptoProperties": _crypto_properties(row),
        "properties": _properties(
            {
                "plane": row.plane or "controller",
                "kind": row.kind.value,
                "count": str(row.count),
                "status": row.status.value,
                f"exposure-{year}": row.exposure.value,
                "sunset": "none" if row.sunset is None else row.sunset.isoformat(),
                "source": row.source,
            }
        )
        + [{"name": "thingstead:thing", "value": thing} for thing in row.things],
    }


def _crypto_properties(row: AssetRow) -> dict[str, Any]:
    algorithms = [_reference(name) for name in row.algorithms]
    if row.kind is AssetKind.PROTOCOL:
        suites = [{"name": row.name, "algorithms": algorithms}]
        return {"assetType": "protocol", "protocolProperties": {"type": "other", "cipherSuites": suites}}
    dates = {key: _stamp(at) for key, at in (("begins", row.since), ("ends", row.until)) if at is not None}
    if row.kind is AssetKind.CERTIFICATE:
        names = {"begins": "notValidBefore", "ends": "notValidAfter"}
        told = {"subjectName": row.name, "signatureAlgorithmRef": algorithms[0], "certificateFormat": "X.509"}
        return {
            "assetType": "certificate",
            "certificateProperties": told | {names[key]: value for key, value in dates.items()},
        }
    names = {"begins": "activationDate", "ends": "expirationDate"}
    material = {"type": _MATERIAL[row.kind], "state": "active", "algorithmRef": algorithms[0]}
    return {
        "assetType": "related-crypto-material",
        "relatedCryptoMaterialProperties": material | {names[key]: value for key, value in dates.items()},
    }


def _dependency(number: int, row: AssetRow) -> dict[str, Any]:
    return {"ref": f"asset/{number}", "dependsOn": [_reference(name) for name in row.algorithms]}


def _reference(name: str) -> str:
    return f"algorithm/{name}"


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"thingstead:{key}", "value": value} for key, value in values.items()]


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
