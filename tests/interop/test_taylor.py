"""SUIT envelopes of taylor-suit, unmodified: the same input gives both of us the same manifest, and theirs verify here.

taylor writes manifests and reads none, so that "theirs matches ours" is said of bytes; it knows no text, severed
members, dependencies or encryption, and signs with ES256. It writes parameters in the order of their names, which is
that of their numbers only where vendor and class stand in maps of their own: what else it writes is not deterministic
CBOR, and refused here.
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import AuthenticationError, DecodeError, UntrustedError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.manifest import open_manifest
from thingstead.secret import Secret

pytestmark = pytest.mark.interop

VENDOR, CLASS = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", "1492af14-2569-5e48-bf42-9b2d51f2ab45"
DIGEST, OTHER = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210", "ab" * 32
KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x05"))
PEM = ec.derive_private_key(5, ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
SIGNER = Signer(b"theirs", AlgorithmId.ES256)
POLICY = AuthenticationPolicy((SIGNER,))

SHARED = f"""
    {{ override_parameters = {{ vendor_identifier = "{VENDOR}" }} }},
    {{ override_parameters = {{ class_identifier = "{CLASS}", image_digest = "{DIGEST}", image_size = 34768 }} }},
    "condition_vendor_identifier",
    "condition_class_identifier",
"""
ONE = f"""
sequence = 3
[[component]]
id = [{{ hex = "00" }}]
[commands]
shared = [{SHARED}]
install = [{{ override_parameters = {{ uri = "coap://host.example/image" }} }}, "fetch", "condition_image_match"]
validate = ["condition_image_match"]
"""
SLOTS = f"""
sequence = 4
[[component]]
id = [{{ hex = "00" }}, {{ hex = "01" }}]
invoke = false
[[component.slot]]
number = 0
digest = "{DIGEST}"
size = 10
uri = "coap://host.example/a"
[[component.slot]]
number = 1
digest = "{OTHER}"
size = 20
uri = "coap://host.example/b"
"""
TWO = f"""
sequence = 5
[[component]]
name = "flash"
id = [{{ hex = "00" }}]
[[component]]
name = "external"
id = [{{ hex = "02" }}]
[commands]
shared = [{{ set_component_index = "flash" }}, {SHARED}]
payload_fetch = [
    {{ set_component_index = "external" }},
    {{ override_parameters = {{ image_digest = "{DIGEST}", image_size = 34768, uri = "coap://host.example/image" }} }},
    "fetch",
    "condition_image_match",
]
install = [
    {{ set_component_index = "flash" }},
    {{ override_parameters = {{ source_component = "external" }} }},
    "copy",
    "condition_image_match",
]
validate = [{{ set_component_index = "flash" }}, "condition_image_match"]
"""


def digest(value):
    return {"image-digest": {"algorithm": "sha256", "digest": value}}


def override(**parameters):
    return {"suit-directive-override-parameters": {name.replace("_", "-"): one for name, one in parameters.items()}}


CHECKS = [{"suit-condition-vendor-identifier": 15}, {"suit-condition-class-identifier": 15}]
MATCH = {"suit-condition-image-match": 15}
FETCH = [{"suit-directive-fetch": 2}, MATCH]


def manifest(number, components, shared, **sequences):
    return {
        "version": 1,
        "sequence-number": number,
        "suit-common": {"suit-components": components, "suit-shared-sequence": shared},
        "sequence": {name.replace("_", "-"): steps for name, steps in sequences.items()},
    }


def at(index):
    return {"suit-directive-set-component-index": index}


WHO = [override(vendor_id=VENDOR), override(class_id=CLASS, **digest(DIGEST), image_size=34768), *CHECKS]


def slot(number, **parameters):
    return [override(component_slot=number), {"suit-condition-component-slot": 5}, override(**parameters)]


PAIRS = {
    "one image": (
        ONE,
        manifest(
            3,
            [["00"]],
            WHO,
            payload_installation=[override(uri="coap://host.example/image"), *FETCH],
            image_validation=[MATCH],
        ),
    ),
    "two slots": (
        SLOTS,
        manifest(
            4,
            [["00", "01"]],
            [
                {
                    "suit-directive-try-each": [
                        slot(0, **digest(DIGEST), image_size=10),
                        slot(1, **digest(OTHER), image_size=20),
                    ]
                },
            ],
            payload_installation=[
                {
                    "suit-directive-try-each": [
                        slot(0, uri="coap://host.example/a"),
                        slot(1, uri="coap://host.example/b"),
                    ]
                },
                *FETCH,
            ],
            image_validation=[MATCH],
        ),
    ),
    "by way of another component": (
        TWO,
        manifest(
            5,
            [["00"], ["02"]],
            [at(0), *WHO],
            payload_fetch=[
                at(1),
                override(**digest(DIGEST), image_size=34768, uri="coap://host.example/image"),
                *FETCH,
            ],
            payload_installation=[at(0), override(source_component=1), {"suit-directive-copy": 2}, MATCH],
            image_validation=[at(0), MATCH],
        ),
    ),
}


@pytest.fixture(scope="module")
def taylor(peer_python):
    """Have taylor make the envelopes of all pairs: ``taylor("sha256")``."""

    def build(hashed="sha256", manifests=PAIRS):
        asked = {"manifests": [theirs for _, theirs in manifests.values()], "key": PEM.decode(), "digest": hashed}
        done = subprocess.run(
            [str(peer_python), str(Path(__file__).with_name("taylor_party.py"))],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return dict(zip(manifests, map(bytes.fromhex, json.loads(done.stdout)), strict=True))

    return build


def ours(name):
    return read_recipe(PAIRS[name][0], lambda wanted: b"").envelope


def test_the_same_input_gives_the_same_manifest(taylor):
    for name, theirs in taylor().items():
        opened = envelope.decode(theirs)
        assert opened.manifest == ours(name).manifest, name
        assert opened.digest == ours(name).digest


def test_their_envelopes_verify_here_and_open(taylor):
    for hashed in ("sha256", "sha384"):
        for name, theirs in taylor(hashed).items():
            proved = authenticate(envelope.decode(theirs), {b"theirs": KEY.public}, POLICY)
            assert open_manifest(proved).content.sequence_number == PAIRS[name][1]["sequence-number"]


def test_our_envelope_with_their_signature_is_theirs_byte_for_byte(taylor):
    for name, theirs in taylor().items():
        blocks = envelope.decode(theirs).blocks
        assert envelope.encode(replace(ours(name), blocks=blocks)) == theirs


def test_their_envelope_takes_our_signature_beside_theirs(taylor):
    second = private_key(KeyType.ML_DSA_44, Secret(bytes(32)))
    signer = Signer(b"ours", AlgorithmId.ML_DSA_44)
    for theirs in taylor().values():
        both = builder.sign(envelope.decode(theirs), [(signer, second)])
        keys = {b"theirs": KEY.public, b"ours": second.public}
        assert len(authenticate(both, keys, AuthenticationPolicy((SIGNER, signer))).signers) == 2


def test_an_altered_envelope_of_theirs_is_refused(taylor):
    encoded = next(iter(taylor().values()))
    opened = envelope.decode(encoded)
    with pytest.raises(UntrustedError):
        authenticate(opened, {}, POLICY)
    with pytest.raises(AuthenticationError):
        authenticate(opened, {b"theirs": private_key(KeyType.P256, Secret(bytes(31) + b"\x06")).public}, POLICY)
    with pytest.raises(AuthenticationError, match="manifest"):
        authenticate(replace(opened, manifest=opened.manifest[:-1] + b"\x0e"), {b"theirs": KEY.public}, POLICY)


@pytest.mark.spec("RFC 8949 4.2.1")
def test_a_map_of_theirs_that_is_out_of_order_is_refused(taylor):
    together = manifest(1, [["00"]], [override(vendor_id=VENDOR, class_id=CLASS), *CHECKS])
    (theirs,) = taylor(manifests={"together": ("", together)}).values()
    proved = authenticate(envelope.decode(theirs), {b"theirs": KEY.public}, POLICY)
    with pytest.raises(DecodeError, match="deterministic"):
        open_manifest(proved)
