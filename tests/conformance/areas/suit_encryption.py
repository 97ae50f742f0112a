"""Area suit-encryption: the draft's encryption infos, payloads and manifests, under the keys that its text prints.

A file named ``suit-encryption-info-X`` decrypts the ``encrypted-payload-X`` beside it, and the reverse; a signed
manifest is authentic, and what it writes decrypts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conformance.areas.suit import DRAFT_KEY, DRAFT_MAC_KEY
from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from tests.conformance.published import envelopes_in
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, private_key
from thingstead.errors import SecurityError
from thingstead.protocols.suit import encryption, envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.manifest import Manifest, open_manifest
from thingstead.protocols.suit.registry import Member, ParameterId
from thingstead.secret import Secret

__all__ = ["run"]

_INFO, _PAYLOAD, _MANIFEST = "suit-encryption-info-", "encrypted-payload-", "suit-manifest-"
_PLAINTEXT = b"This is a real firmware image."
# The receivers' keys of sections 7.1.2 and 7.1.3.
_KEYS: encryption.DecryptionKeys = {
    b"kid-1": Secret(b"a" * 16),
    b"kid-2": private_key(
        KeyType.P256, Secret(bytes.fromhex("60FE6DD6D85D5740A5349B6F91267EEAC5BA81B8CB53EE249E4B4EB102C476B3"))
    ),
}
_ANCHORS: tuple[tuple[AlgorithmId, PublicKey | Secret], ...] = (
    (AlgorithmId.ESP256, DRAFT_KEY),
    (AlgorithmId.ES256, DRAFT_KEY),
    (AlgorithmId.HMAC_256_256, DRAFT_MAC_KEY),
)


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    dumps = envelopes_in(file.read_bytes())
    if len(dumps) != 1:
        yield not_covered(file.name, "a text without one dump in hex")
        return
    problem = _manifest_problem(dumps[0]) if file.name.startswith(_MANIFEST) else _pair_problem(file)
    yield failed(file.name, problem) if problem else passed(file.name)


def _pair_problem(file: Path) -> str:
    ending = file.name.removeprefix(_INFO).removeprefix(_PAYLOAD)
    (info,), (ciphertext,) = (envelopes_in(file.with_name(name + ending).read_bytes()) for name in (_INFO, _PAYLOAD))
    return _problem(info, ciphertext)


def _problem(info: bytes, ciphertext: bytes) -> str:
    if encryption.decrypt(info, ciphertext, _KEYS) != _PLAINTEXT:
        return "decrypts to something else"
    try:
        encryption.decrypt(info, ciphertext[:-1] + bytes((ciphertext[-1] ^ 1,)), _KEYS)
    except SecurityError:
        return ""
    return "decrypts when it was altered"


def _manifest_problem(dump: bytes) -> str:
    received = envelope.decode(dump)
    if envelope.encode(received) != dump:
        return "encodes as other bytes"
    written = [
        (command.parameters[ParameterId.ENCRYPTION_INFO], command.parameters[ParameterId.CONTENT])
        for command in _authentic(received).content.sequences[Member.INSTALL]
        if ParameterId.ENCRYPTION_INFO in command.parameters
    ]
    problems = [
        _problem(info, content) for info, content in written if isinstance(info, bytes) and isinstance(content, bytes)
    ]
    return "; ".join(filter(None, problems)) if problems else "nothing in it is encrypted"


def _authentic(received: envelope.Envelope) -> Manifest:
    failure: SecurityError | None = None
    for number, anchor in _ANCHORS:
        try:
            policy = AuthenticationPolicy((Signer(b"example", number),))
            return open_manifest(authenticate(received, {b"example": anchor}, policy))
        except SecurityError as error:
            failure = error
    raise failure or AssertionError("no anchors")
