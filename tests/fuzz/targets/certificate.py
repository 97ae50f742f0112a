"""X.509: files of certificates, chains that peers show, and what an authority signs that has turned hostile."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fuzz.target import Cursor, Target, attempt, ensure, refuses
from tests.unit.protocols.edhoc.certificates import ODD, Authority, usage
from thingstead.crypto.certificate import Certificate, load_certificate, load_certificates
from thingstead.crypto.key import KeyType, generate
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import Authentication
from thingstead.protocols.edhoc.certificate import (
    CertifiedPeer,
    authenticate_certificate,
    certificate_credential,
    x5t_reference,
    x5u_reference,
)
from thingstead.protocols.edhoc.credential import CredentialReference, expand_reference

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_KEY = generate(KeyType.P256)
_ROOT, _STRANGER = Authority("Root"), Authority("Root")
_FACTORY = Authority("Factory", issuer=_ROOT, path_length=0, extensions=(usage("key_cert_sign"),))
_BELOW = Authority("Below", issuer=_FACTORY)
_FAR = _BELOW.certify(_KEY.public)
_ANYWHERE = CredentialReference(x5u_reference("coaps://x"))
_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_LEAVES = (
    _FACTORY.certify(_KEY.public),
    _FACTORY.certify(_KEY.public, extensions=(usage("key_agreement"),)),
    _FACTORY.certify(_KEY.public, extensions=((ODD, False),)),
)


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2)
    return bytes((tag,)) + length + content


def _signed(tbs: bytes, authority: Authority) -> Certificate:
    """A certificate whose signature is right, whatever it says."""
    signature = authority.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return Certificate(_tlv(0x30, tbs + _ECDSA_WITH_SHA256 + _tlv(0x03, b"\0" + signature)))


def _file(data: bytes) -> None:
    """What is loaded is the bytes of a certificate, and can be shown and loaded again."""
    for one in attempt(lambda: load_certificates(data)) or ():
        again = load_certificate(one.der)
        ensure((again, again.subject) == (one, one.subject), "a certificate changed by being loaded")
        attempt(partial(certificate_credential, one, x5t_reference(one)))


def _leaf(data: bytes) -> None:
    """Whatever an authority below the root signs is a thing's certificate valid now for this use, or refused."""
    leaf = _signed(data, _FACTORY)
    for kind in Authentication:
        peer = attempt(partial(_followed, (leaf, _FACTORY.certificate), kind))
        if peer is not None:
            _hold(peer, leaf, kind)


def _authority(data: bytes) -> None:
    """Whatever the authority below the root signs, nobody certifies things below it: its path ends there."""
    chain = (_FAR, _signed(data, _FACTORY), _FACTORY.certificate)
    refuses(lambda: _followed(chain, Authentication.SIGNATURE), "an authority that may not certify others did")


def _chain(data: bytes) -> None:
    """A reference with certificates as somebody without an authority makes it leads nowhere."""
    cursor = Cursor(data)
    shown = [(_LEAVES[0], _FACTORY.certificate, _STRANGER.certificate)[cursor.number(3)] for _ in range(3)]
    value = codec.encode({33: [*[one.der for one in shown[: cursor.number(4)]], cursor.bytes(2048)]})
    reference = attempt(lambda: expand_reference(codec.decode(value), value))
    if reference is None:
        return
    certificates = tuple([Certificate(der) for der in reference.x5chain])
    peer = attempt(
        lambda: authenticate_certificate(
            reference, certificates, anchors=(_ROOT.certificate,), kind=Authentication.SIGNATURE, at=_AT
        )
    )
    ensure(peer is None or peer.chain[0].der in {_LEAVES[0].der, _FACTORY.certificate.der}, "nobody was trusted")


def _followed(chain: tuple[Certificate, ...], kind: Authentication) -> CertifiedPeer:
    return authenticate_certificate(_ANYWHERE, chain, anchors=(_ROOT.certificate,), kind=kind, at=_AT)


def _hold(peer: CertifiedPeer, leaf: Certificate, kind: Authentication) -> None:
    view = leaf.x509
    ensure(view.not_valid_before_utc <= _AT <= view.not_valid_after_utc, "a certificate out of its time was trusted")
    ensure(view.issuer == _FACTORY.certificate.x509.subject, "a certificate of another issuer was trusted")
    needed = {Authentication.SIGNATURE: "digital_signature", Authentication.STATIC_DH: "key_agreement"}[kind]
    ensure(leaf.key_usage is None or needed in leaf.key_usage, "a key was taken for what it is not for")
    ensure(peer.credential.cred == codec.encode(leaf.der), "the transcript covers another certificate")


TARGETS = (
    Target("x509 file", _file, (_LEAVES[0].der, b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")),
    Target("x509 leaf", _leaf, tuple([leaf.x509.tbs_certificate_bytes for leaf in _LEAVES])),
    Target("x509 authority", _authority, (_BELOW.certificate.x509.tbs_certificate_bytes,)),
    Target("x509 chain", _chain, (b"\0\1\2\1" + _LEAVES[0].der, b"\0\1\1\2" + _STRANGER.certificate.der)),
)
