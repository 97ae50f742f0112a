"""What clients and strangers bring to a thing as resource server, and what they are told (RFC 9200, RFC 9203)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.fuzz.target import Cursor, Target, attempt, ensure
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.ace import aif, edhoc_profile, exi, input_material, sealed_token, token
from thingstead.protocols.ace.aif import Bounds, Permission, Scope
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.token_upload import MAX_UPLOAD, TokenUpload, UploadAnswer
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_ISSUER = private_key(KeyType.ED25519, Secret(bytes(range(32))))
_ACCEPT = frozenset({int(AlgorithmId.ED25519)})
_KEY = sealed_token.token_key(Secret(bytes(16)), master_salt=bytes(8), digest_id=-16)
_MATERIAL = InputMaterial(b"\x01", Secret(bytes(16)), b"salt")
_SCOPE = Scope({"/light": 5, "/light/level": 4}, {"/light/level": Bounds(10, 60, 6)})
_SIGNED = token.issue(
    _MATERIAL, _ISSUER, issuer="as", subject="switch", audience="light", scope=_SCOPE, at=_AT,
    expires=_AT + timedelta(hours=1), cti=exi.token_id("light", 1), signature_id=AlgorithmId.ED25519, exi=60,
)  # fmt: skip
_SEALED = sealed_token.seal(_SIGNED, _KEY, nonce=bytes(13))
_UPLOAD = TokenUpload(_SEALED, bytes(8), b"\x16\x45").encode()


def _upload(data: bytes) -> None:
    upload = attempt(lambda: TokenUpload.decode(data))
    if upload is None:
        return
    ensure(len(data) <= MAX_UPLOAD, "an upload beyond its bound")
    ensure(TokenUpload.decode(upload.encode()) == upload, "an upload changed")
    signed = attempt(lambda: sealed_token.unseal(upload.access_token, _KEY))
    ensure(signed in {None, _SIGNED}, "a token that nobody sealed")


def _answer(data: bytes) -> None:
    answer = attempt(lambda: UploadAnswer.decode(data, own_id=b"own"))
    if answer is not None:
        ensure(answer.recipient_id != b"own", "an identifier that is our own")
        ensure(UploadAnswer.decode(answer.encode(), own_id=b"own") == answer, "an answer changed")


def _material(data: bytes) -> None:
    material = attempt(lambda: input_material.decode_map(codec.decode(data)))
    if material is not None:
        ensure(input_material.decode_map(material.as_map()) == material, "a material changed")
        material.context(nonce_1=b"1", nonce_2=b"2", sender_id=b"\x00", recipient_id=b"\x01")


def _scope(data: bytes) -> None:
    """A scope survives, and no two of them come to more together than either has."""
    cursor = Cursor(data)
    first = cursor.bytes(cursor.number(256))
    one, other = attempt(lambda: aif.decode(first)), attempt(lambda: aif.decode(cursor.bytes(1 << 16)))
    if one is None:
        return
    ensure(aif.decode(aif.encode(one)) == one, "a scope changed")
    both = one.narrow(other or _SCOPE)
    for path, methods in both.grants.items():
        for held in (one, other or _SCOPE):
            ensure(methods & ~held.grants[path] == 0, "a method that one does not hold")
            # Where two ranges have no value in common nothing is left to set.
            ensure(
                methods == Permission.GET or both.bounds_of(path).tighten(held.bounds_of(path)) == both.bounds_of(path),
                "a wider bound",
            )


def _shown(data: bytes) -> None:
    """What is signed and not sealed, under the issuer's own key and any claims."""
    cursor = Cursor(data)
    place = cursor.number(len(_SIGNED))
    changed = _SIGNED[:place] + cursor.bytes(4) + _SIGNED[place + 4 :]
    shown = attempt(
        lambda: token.authenticate_shown(
            changed, _ISSUER.public, accept=_ACCEPT, at=None, issuer="as", audience="light"
        )
    )
    ensure(shown is None or changed == _SIGNED, "a token that nobody signed")
    attempt(lambda: exi.sequence_number(data, "light"))
    attempt(lambda: edhoc_profile.series_of(codec.decode(data)))


def _hints(data: bytes) -> None:
    hints = attempt(lambda: CreationHints.decode(data))
    if hints is not None:
        ensure(CreationHints.decode(hints.encode()) == hints, "hints changed")


TARGETS = (
    Target("ACE uploads", _upload, (_UPLOAD,)),
    Target("ACE answers to uploads", _answer, (UploadAnswer(bytes(8), b"other").encode(),)),
    Target("OSCORE input material", _material, (codec.encode(_MATERIAL.as_map()),)),
    Target("AIF scopes with bounds", _scope, (bytes([len(aif.encode(_SCOPE))]) + aif.encode(_SCOPE),)),
    Target("access tokens that are shown", _shown, (bytes(8),)),
    Target("AS request creation hints", _hints, (CreationHints("coap://as/token", "light", b"k", bytes(12)).encode(),)),
)
