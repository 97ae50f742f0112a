"""Verify the detached CMS signature of a MUD file and admit the file (RFC 8520 §13.2, RFC 5652 §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import cms

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.certificate import Certificate, verify_chain
from thingstead.crypto.digest import digest
from thingstead.errors import AuthenticationError, DecodeError, PolicyError, UnsupportedError, UntrustedError
from thingstead.protocols.mud.file import MudFile
from thingstead.protocols.mud.parser import DEFAULT_LIMITS, Limits, parse

__all__ = ["AdmissionPolicy", "AdmittedMudFile", "admit", "claimed_signer"]

_DIGESTS = {"sha256": AlgorithmId.SHA_256, "sha384": AlgorithmId.SHA_384, "sha512": AlgorithmId.SHA_512}
_LARGEST_SIGNATURE = 1 << 16
_MOST_CERTIFICATES = 8
_SPEC = "RFC 5652 §5.4"
_ADMITTED = object()


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Whose MUD files the owner takes.

    Attributes:
        name: what evidence and messages call it.
        anchors: certificates of authorities, or of signers themselves.
        insecure_unsigned: take files without a signature.
        insecure_expired_signer: take signatures of signers whose certificate has run out.
    """

    name: str
    anchors: tuple[Certificate, ...] = ()
    insecure_unsigned: bool = False
    insecure_expired_signer: bool = False


@dataclass(frozen=True, slots=True)
class AdmittedMudFile:
    """A file that was signed by someone the policy trusts, or is unsigned under a policy that says so.

    `admit` alone makes it; `rule.compile_rules` accepts nothing else.

    Attributes:
        file: what it says.
        signer: subject of the signing certificate; None for an unsigned file.
        policy: name of the policy it was admitted under.
        signer_expires: end of the signer's certificate; None for an unsigned file.
        signer_algorithm: by which that certificate is signed (`crypto.lifetime`); empty for an unsigned file.
    """

    file: MudFile
    signer: str | None
    policy: str
    signer_expires: datetime | None
    signer_algorithm: str
    made_by: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.made_by is not _ADMITTED:
            raise TypeError("an AdmittedMudFile comes from admit() alone")


def admit(
    data: bytes,
    signature: bytes | None,
    *,
    policy: AdmissionPolicy,
    at: datetime,
    url: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> AdmittedMudFile:
    """Verify, then parse.

    Args:
        data: the file, byte for byte as fetched.
        signature: detached CMS SignedData in DER; None where the maker has none.
        policy: whom to believe.
        at: aware time of the check.
        url: where the file was asked for; its ``mud-url`` must be the same.
        limits: bounds of the parser.

    Raises:
        DecodeError: signature or file malformed.
        AuthenticationError: the signature is not one over `data`.
        UntrustedError: by nobody the policy trusts, or the file speaks for another URL.
        ExpiredError: by somebody whose certificate has run out.
        PolicyError: no signature, and the policy wants one.
        UnsupportedError: an algorithm or version that we do not have.
    """
    signer = None if signature is None else _verify_detached(data, signature, policy=policy, at=at)
    if signer is None and not policy.insecure_unsigned:
        raise PolicyError(f"policy {policy.name!r} expects a signed MUD file, got one without", spec="RFC 8520 §13.2")
    file = parse(data, limits=limits)
    if url is not None and file.url != url:
        raise UntrustedError(f"expected the MUD file of {url}, got that of {file.url}", spec="RFC 8520 §3.2")
    return AdmittedMudFile(
        file=file,
        signer=None if signer is None else signer.subject,
        policy=policy.name,
        signer_expires=None if signer is None else signer.expires,
        signer_algorithm="" if signer is None else signer.signature_algorithm,
        made_by=_ADMITTED,
    )


def claimed_signer(signature: bytes) -> Certificate:
    """The certificate that a detached signature names, unverified: what an owner looks at before pinning it.

    Raises:
        DecodeError: not a detached CMS signature.
        UnsupportedError: an algorithm that we do not have.
        UntrustedError: the certificate did not come along.
    """
    return _parse_signature(signature).signer


@dataclass(frozen=True, slots=True)
class _Signature:
    """The parts of a SignedData that verification needs.

    Attributes:
        certificates: all that came along.
        signer: the one that the signer info names.
        digest_name: of the hash over content and attributes.
        signature: the value.
        attributes: DER of the signed attributes as a SET; None when there are none.
        message_digest: the attribute of that name.
        content_types: the attribute, and the encapsulated type it must equal.
    """

    certificates: tuple[Certificate, ...]
    signer: Certificate
    digest_name: str
    signature: bytes
    attributes: bytes | None
    message_digest: bytes | None
    content_types: tuple[str | None, str]


def _verify_detached(data: bytes, signature: bytes, *, policy: AdmissionPolicy, at: datetime) -> Certificate:
    parts = _parse_signature(signature)
    signed = data
    if parts.attributes is not None:
        if parts.content_types[0] != parts.content_types[1]:
            raise AuthenticationError("the content-type attribute is not that of the content", spec="RFC 5652 §11.1")
        if parts.message_digest != digest(data, _DIGESTS[parts.digest_name]):
            raise AuthenticationError("the message digest is not that of the MUD file", spec=_SPEC)
        signed = parts.attributes
    parts.signer.verify(parts.signature, signed, digest_name=parts.digest_name)
    if not parts.signer.may_sign:
        raise UntrustedError(
            f"expected key usage digitalSignature in the certificate of {parts.signer.subject}",
            spec="RFC 8520 §13.2",
        )
    verify_chain(
        parts.signer,
        parts.certificates,
        anchors=policy.anchors,
        at=at,
        allow_expired_leaf=policy.insecure_expired_signer,
    )
    return parts.signer


def _parse_signature(data: bytes) -> _Signature:
    if len(data) > _LARGEST_SIGNATURE:
        raise DecodeError(f"expected a signature of at most {_LARGEST_SIGNATURE} bytes, got {len(data)}", spec=_SPEC)
    try:
        content = cms.ContentInfo.load(data, strict=True)
        if content["content_type"].native != "signed_data":
            raise DecodeError("expected CMS SignedData", spec="RFC 8520 §13.1")
        return _parse_signed_data(content["content"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise DecodeError(f"expected a CMS signature in DER: {str(error)[:120]}", spec="RFC 8520 §13.1") from None


def _parse_signed_data(signed_data: cms.SignedData) -> _Signature:
    content = signed_data["encap_content_info"]
    if content["content"].native is not None:
        raise DecodeError("expected a detached signature, got one that carries content", spec="RFC 8520 §13.1")
    infos = signed_data["signer_infos"]
    if len(infos) != 1 or len(signed_data["certificates"]) > _MOST_CERTIFICATES:
        raise UnsupportedError(f"expected one signer and at most {_MOST_CERTIFICATES} certificates", spec=_SPEC)
    certificates = tuple(Certificate(choice.chosen.dump()) for choice in signed_data["certificates"])
    info = infos[0]
    digest_name = info["digest_algorithm"]["algorithm"].native
    if digest_name not in _DIGESTS:
        raise UnsupportedError(f"expected SHA-256, SHA-384 or SHA-512, got {digest_name}", spec="RFC 5754 §2")
    _require_algorithm(info["signature_algorithm"], digest_name)
    _require_consistent(signed_data, info, digest_name)
    attributes = info["signed_attrs"]
    present = isinstance(attributes, cms.CMSAttributes) and len(attributes) > 0
    values = {one["type"].native: one["values"] for one in attributes} if present else {}
    if present and len(values) != len(attributes):
        raise DecodeError("expected each signed attribute once", spec="RFC 5652 §5.3")
    return _Signature(
        certificates=certificates,
        signer=_find_signer(info["sid"], certificates),
        digest_name=digest_name,
        signature=info["signature"].native,
        # The attributes are signed as a SET although they travel as an implicit [0] (RFC 5652 §5.4).
        attributes=b"\x31" + attributes.dump()[1:] if present else None,
        message_digest=_single(values, "message_digest"),
        content_types=(_single(values, "content_type"), content["content_type"].native),
    )


def _single(values: dict[str, cms.SetOf], name: str) -> Any:
    found = values.get(name)
    return found[0].native if found is not None and len(found) == 1 else None


def _require_algorithm(algorithm: cms.SignedDigestAlgorithm, digest_name: str) -> None:
    if algorithm.signature_algo not in {"ecdsa", "rsassa_pkcs1v15"}:
        raise UnsupportedError(
            f"expected ECDSA or RSA PKCS #1 v1.5, got {algorithm.signature_algo}", spec="RFC 5754 §3"
        )
    name = algorithm["algorithm"].native
    if name != "rsassa_pkcs1v15" and algorithm.hash_algo != digest_name:
        raise UnsupportedError(f"expected a signature over {digest_name}, got {name}", spec="RFC 5754 §3")


def _require_consistent(signed_data: cms.SignedData, info: cms.SignerInfo, digest_name: str) -> None:
    """What no signature covers follows from what is there: whoever alters it has altered the file that came."""
    by_issuer = info["sid"].name == "issuer_and_serial_number"
    is_data = signed_data["encap_content_info"]["content_type"].native == "data"
    versions = signed_data["version"].native, info["version"].native
    if versions != ("v1" if by_issuer and is_data else "v3", "v1" if by_issuer else "v3"):
        raise DecodeError(
            f"expected the versions that follow from its parts, got {versions}", spec="RFC 5652 §5.1, §5.3"
        )
    algorithms = [info["digest_algorithm"], info["signature_algorithm"], *signed_data["digest_algorithms"]]
    if any(one["parameters"].native is not None for one in algorithms):
        raise DecodeError("expected algorithms without parameters", spec="RFC 5754 §2, §3")
    if [one["algorithm"].native for one in signed_data["digest_algorithms"]] != [digest_name]:
        raise DecodeError("expected the digest algorithm of the signer and no other", spec="RFC 5652 §5.1")


def _find_signer(identifier: cms.SignerIdentifier, certificates: tuple[Certificate, ...]) -> Certificate:
    chosen = identifier.chosen
    for certificate in certificates:
        if identifier.name == "subject_key_identifier":
            if certificate.key_identifier == chosen.native:
                return certificate
        elif (certificate.serial_number, certificate.issuer_der) == (
            chosen["serial_number"].native,
            chosen["issuer"].dump(),
        ):
            return certificate
    raise UntrustedError("expected the signer's certificate to come with the signature", spec="RFC 5652 §5.1")
