"""Area corim-veraison: inputs of the Veraison project's tests, good and bad.

Good ones decode and keep their profile; of bad ones the fault is either in CoRIM itself, and the decoder refuses it, or
against a profile's rule, and the row of that profile does, in the words that the file's name has. The product has PSA's
row and its own. The others stand here: their rules are their makers', and what they show is that the table holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.corim import rim, scheme
from thingstead.protocols.corim.registry import TagNumber, Value
from thingstead.protocols.corim.scheme import PSA, Scheme, named, unnamed
from thingstead.protocols.cose import sign1

__all__ = ["run"]

_BYTES, _UUID, _UEID = TagNumber.BYTES.value, TagNumber.UUID.value, TagNumber.UEID.value
_EARLIER_IMPLEMENTATION, _EARLIER_COMPONENT, _EARLIER_CONFIGURATION = 600, 601, 602
_DIGESTS, _RAW = frozenset({int(Value.DIGESTS)}), frozenset({int(Value.RAW_VALUE)})
_REGISTERS = [f"cca.rem{number}" for number in range(4)]
_PLATFORM = named({"cca.software-component": _DIGESTS, "cca.platform-config": _RAW})
_ELEMENTS = {"cca.rim": _DIGESTS, "cca.rpv": _RAW} | dict.fromkeys(_REGISTERS, _DIGESTS)
_KEY = {"class_id": (_BYTES, 32), "instance": (_UEID, 33)}
_MAKER = {"vendor": None, "model": None}
_EARLIER_KEY = {"class_id": (_EARLIER_IMPLEMENTATION, 32), "instance": (_UEID, 33)}


def _earlier(element: Any) -> frozenset[int] | None:
    """Before there were names, the form of an element's name said what it is."""
    return {_EARLIER_COMPONENT: _DIGESTS, _EARLIER_CONFIGURATION: _RAW}.get(getattr(element, "tag", 0))


def _numbered(element: Any) -> frozenset[int] | None:
    return frozenset() if type(element) is int else None


_SCHEMES = {
    row.profile: row
    for row in (
        PSA,
        Scheme("http://arm.com/psa/iot/1", {"class_id": (600, 32)}, _earlier, _EARLIER_KEY),
        Scheme("http://arm.com/cca/ssd/1", {"class_id": (600, 32)}, _earlier, _EARLIER_KEY),
        Scheme("tag:arm.com,2025:cca_platform#1.0.0", {"class_id": (_BYTES, 32)}, _PLATFORM, _KEY),
        Scheme("tag:arm.com,2025:cca_realm#1.0.0", {"class_id": (_BYTES, 64)}, named(_ELEMENTS)),
        Scheme("tag:github.com/parallaxsecond,2023-03-03:cca", {"class_id": (_BYTES, 32)}, _PLATFORM, _KEY),
        Scheme(
            "tag:github.com/parallaxsecond,2023-03-03:tpm",
            {"class_id": (_UUID, 16)},
            _numbered,
            {"class_id": (_UUID, 16), "instance": None},
        ),
        Scheme(
            "https://enacttrust.com/veraison/1.0.0", {"instance": (_UUID, 16)}, unnamed(2), {"instance": (_UUID, 16)}
        ),
        Scheme(
            "tag:veraison-project.com,2026:riot",
            {},
            unnamed(),
            {"vendor": None, "model": None},
            TagNumber.PKIX_CERT_PATH,
        ),
        Scheme(
            "tag:amd.com,2024:snp-corim-profile",
            {"class_id": (TagNumber.OID.value, 9), "instance": None},
            _numbered,
            _MAKER,
            TagNumber.PKIX_CERT,
        ),
    )
}
_FAULTS = {
    "badta": "tag 501",
    "bad-refval-instance": "no instance",
    "bad-refval-mkey": "an element that the profile measures",
    "bad-refval-mkey-string": "an element that the profile measures",
    "bad-refval-mval": "digests in",
    "bad-refval-key": "an element that the profile measures",
    "bad-refval-no-key": "an element that the profile measures",
    "bad-refval-no-mkey": "an element that the profile measures",
    "bad-refval-no-digests": "digests in",
    "bad-refval-no-raw-value": "raw_value in",
    "bad-no-integ-regs": "digests in",
    "bad-no-raw-value": "raw_value in",
    "bad-multiple-keys": "one attestation key",
    "bad-wrong-key-type": "one attestation key",
    "bad-ta-cert": "one attestation key",
    "bad-multiple-measurements": "one measurement",
    "bad-no-class": "a class_id",
    "bad-no-class-id": "a class_id",
    "bad-class": "no class_id",
    "bad-no-instance": "no class_id",
    "bad-no-pcr": "an element that the profile measures",
    "bad-pcr": "an element that the profile measures",
    "bad-no-vendor": "a vendor",
    "bad-ta-no-vendor": "a vendor",
    "bad-ta-no-model": "a model",
    "bad-instance": "bytes under tag",
}
"""End of a file's name -> what its refusal has to name."""

_EXPLAINED = {
    "scheme_parsec-tpm_test_evidence_evidence.cbor": "evidence of a TPM 2.0, which is no EAT",
    "end-to-end_input_cca-evidence.cbor": "a CCA token: two EATs of Arm's CCA profile, which no thing here has",
}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file; its name says whether it is good."""
    if file.name in _EXPLAINED:
        yield not_covered(file.name, _EXPLAINED[file.name])
        return
    data = file.read_bytes()
    problem = _evidence_problem(file, data) if "evidence" in file.name else _problem(data)
    fault = _FAULTS[file.stem[file.stem.index("-bad") + 1 :]] if "-bad" in file.name else ""
    if fault in problem if fault else not problem:
        yield passed(file.name)
    else:
        yield failed(file.name, problem or "is accepted")


def _problem(data: bytes) -> str:
    try:
        found = rim.decode(data)
        scheme.require(found, _SCHEMES)
    except (DecodeError, UnsupportedError) as error:
        return str(error)
    claims = [claims for tag in found.comids for claims in tag.reference_values]
    # EnactTrust has one measurement a node, which no other profile asks for.
    is_alone = "enacttrust" not in str(found.profile) or all(len(one.measurements) == 1 for one in claims)
    return "" if is_alone else "expected one measurement"


def _evidence_problem(file: Path, data: bytes) -> str:
    """The token is authentic under the key of the endorsements beside it, and under no other bytes."""
    endorsements = rim.decode(file.with_name(file.name.replace("evidence", "endorsements")).read_bytes())
    (keys,) = [keys for tag in endorsements.comids for keys in tag.attest_keys]
    loaded: Any = serialization.load_pem_public_key(keys.keys[0].value.encode())
    numbers = loaded.public_numbers()
    public = PublicKey(KeyType.P256, numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big"))
    accept = frozenset({int(AlgorithmId.ES256)})
    sign1.authenticate(data, public, accept=accept)
    try:
        sign1.authenticate(data[:-1] + bytes((data[-1] ^ 1,)), public, accept=accept)
    except AuthenticationError:
        return ""
    return "an altered token is authentic"
