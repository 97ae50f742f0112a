"""The published examples of the SUIT drafts, each made from a TOML file that says the same, byte for byte.

What belongs to an example and is nobody's to type is taken from it: a content key (unwrapped under the key that the
draft prints), or what was encrypted under an ephemeral key that was never published.
"""

from pathlib import Path

import pytest

from tests.conformance.areas.suit import DRAFT_KEY, DRAFT_MAC_KEY
from tests.conformance.published import envelopes_in
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key_wrap import unwrap_key
from thingstead.errors import ConfigError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.structure import CoseTag
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.registry import ENVELOPE_TAG, Member, ParameterId
from thingstead.secret import Secret

AUTHORED = Path(__file__).parent / "authored"
# File of the example, and the TOML file that makes it; one example is published in several forms and places.
EXAMPLES = {
    **{f"suit/suit_manifest_{name}.suit": f"suit_manifest_{name}" for name in ("exp0", "exp1", "exp2B", "exp4")},
    "suit/suit_manifest_exp2A.suit": "suit_manifest_exp2B",
    **{f"suit/suit_manifest_exp{name}.suit": f"suit_manifest_exp{name}" for name in ("AF", "AW", "EW", "D", "I")},
    **{f"suit/suit_manifest_exp{name}.suit": f"suit_manifest_exp{name}" for name in ("S0", "U0", "U1")},
    "suit-manifest-spec/example0.txt": "suit_manifest_exp0",
    "suit-manifest-spec/example1.txt": "suit_manifest_exp1",
    "suit-manifest-spec/example2.txt": "suit_manifest_exp2B",
    "suit-manifest-spec/example4.txt": "suit_manifest_exp4",
    "suit-encryption/suit-manifest-aes-kw-content.hex.signed": "suit_manifest_expAW",
    "suit-encryption/suit-manifest-es-ecdh-content.hex.signed": "suit_manifest_expEW",
    "suit-trust-domains/example0_dependent.hex": "example0_dependent",
    "suit-trust-domains/example1_process.hex": "example1_process",
}
TAG = codec.encode(codec.Tag(ENVELOPE_TAG, 0))[:-1]


@pytest.fixture(params=sorted(EXAMPLES))
def example(request, shared):
    """Every envelope in the file, and what its TOML file makes."""
    published = envelopes_in((shared / "vectors" / request.param).read_bytes())
    found = files_of(envelope.decode(published[0]))

    def files(name):
        if name not in found:
            raise ConfigError(f"expected a file at {name}")
        return found[name]

    made = read_recipe((AUTHORED / f"{EXAMPLES[request.param]}.toml").read_text(), files)
    return published, made.envelope


def files_of(published):
    """Files that the TOML names: made of what is encrypted in the example, where anything is."""
    install = decode_manifest(published).sequences.get(Member.INSTALL, ())
    for command in install:
        info = command.parameters.get(ParameterId.ENCRYPTION_INFO)
        if isinstance(info, bytes):
            recipient = codec.decode(info).value[3][0]
            files = {"encryption-info": info, "ciphertext": command.parameters.get(ParameterId.CONTENT, b"")}
            if not recipient[0]:
                files["content-key"] = unwrap_key(recipient[2], Secret(b"a" * 16), AlgorithmId.A128KW).reveal()
            return files
    return {}


@pytest.mark.spec("draft-ietf-suit-manifest B")
def test_an_example_is_made_byte_for_byte(example):
    published, made = example
    for dump in published:
        theirs = envelope.decode(dump)
        assert made.manifest == theirs.manifest
        assert made.digest == theirs.digest
        # An envelope without its severed members is the same release to who has no use for them.
        ours = envelope.Envelope(
            made.digest,
            made.signed,
            theirs.blocks,
            made.manifest,
            {key: body for key, body in made.severed.items() if key in theirs.severed},
            made.payloads,
        )
        assert envelope.encode(ours).removeprefix(TAG) == dump.removeprefix(TAG)


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_the_published_signature_is_one_over_what_we_made(example):
    published, made = example
    for dump in published:
        theirs = envelope.decode(dump)
        if not theirs.blocks:
            continue
        (tag,) = [codec.decode(block).tag for block in theirs.blocks]
        numbers = {CoseTag.SIGN1: (AlgorithmId.ES256, AlgorithmId.ESP256), CoseTag.MAC0: (AlgorithmId.HMAC_256_256,)}
        policy = AuthenticationPolicy(tuple([Signer(b"draft", number) for number in numbers[tag]]), at_least=1)
        key = DRAFT_KEY if tag == CoseTag.SIGN1 else DRAFT_MAC_KEY
        ours = builder.sign(made, [(Signer(b"", AlgorithmId.HMAC_256_256), DRAFT_MAC_KEY)])
        carried = envelope.Envelope(made.digest, made.signed, theirs.blocks, made.manifest)
        assert authenticate(carried, {b"draft": key}, policy).signers
        if tag == CoseTag.MAC0:
            # A MAC is a function of its key: under the one that the draft prints, ours is theirs.
            assert ours.blocks == theirs.blocks
