"""Joining a group: challenge, request and response of `/ace-group/NAME` (RFC 9594 §4.3.1, ace-key-groupcomm-oscore-21).

A joining thing begins with an empty request, and gets a challenge with the refusal (DRAFT §5.3): its association
with the domain came out of EDHOC, so no token transfer has given it one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError
from thingstead.protocols.ace.groupcomm import (
    CRED_FMT,
    DEFAULT_LIMITS,
    SIGN_PARAMS,
    GroupKeys,
    Limits,
    byte_string,
    decode_roles,
    group_name,
    parameters,
)
from thingstead.protocols.ace.groupcomm_registry import DRAFT, Parameter, Role
from thingstead.protocols.cbor import codec

__all__ = [
    "JoinRequest",
    "JoinResponse",
    "client_proof_input",
    "decode_challenge",
    "encode_challenge",
    "kdc_proof_input",
    "scope_entry",
]

_MIN_NONCE = 8


def scope_entry(name: str, roles: Role) -> bytes:
    """The `scope` of a Join Request: one entry of AIF-OSCORE-GROUPCOMM (DRAFT §3)."""
    return codec.encode([name, int(roles)])


def client_proof_input(scope: bytes, *, kdc_challenge: bytes, cnonce: bytes) -> bytes:
    """What a joining node signs: scope ‖ N_S ‖ N_C, each as a CBOR byte string (RFC 9594 §4.3.1)."""
    return codec.encode_sequence(scope, kdc_challenge, cnonce)


def kdc_proof_input(*, cnonce: bytes, kdc_nonce: bytes) -> bytes:
    """What the Group Manager signs: N_C ‖ N_KDC, each as a CBOR byte string (RFC 9594 §4.3.1)."""
    return codec.encode_sequence(cnonce, kdc_nonce)


def encode_challenge(name: str, kdc_challenge: bytes) -> bytes:
    """The payload of the 4.00 that an empty Join Request gets: N_S, and how to sign (DRAFT §5.3)."""
    algorithm, key = SIGN_PARAMS
    sign_info = [[name], int(AlgorithmId.ESP256), algorithm, key, CRED_FMT]
    return codec.encode({Parameter.SIGN_INFO.value: [sign_info], Parameter.KDCCHALLENGE.value: kdc_challenge})


def decode_challenge(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """N_S of such a payload.

    Raises:
        DecodeError: none, or of another size than a challenge may have.
    """
    return _nonce(parameters(data, limits=limits), Parameter.KDCCHALLENGE, limits)


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a thing asks for, with the proof that its credential is its own.

    Attributes:
        name: the group.
        roles: asked for.
        credential: its own, original bytes.
        cnonce: N_C.
        proof: signature over `client_proof_input`.
        scope: the entry as it was encoded, which is what the proof covers.
    """

    name: str
    roles: Role
    credential: bytes
    cnonce: bytes
    proof: bytes
    scope: bytes

    def encode(self) -> bytes:
        """As a payload; all members' credentials are asked for (`get_creds` null)."""
        return codec.encode(
            {
                Parameter.SCOPE.value: self.scope,
                Parameter.GET_CREDS.value: None,
                Parameter.CLIENT_CRED.value: self.credential,
                Parameter.CNONCE.value: self.cnonce,
                Parameter.CLIENT_CRED_VERIFY.value: self.proof,
            }
        )

    @classmethod
    def decode(cls, data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> JoinRequest:
        """Read a payload; nothing in it is verified yet.

        Raises:
            DecodeError: a parameter missing, of the wrong kind, or over a limit.
            UnsupportedError: roles that no member here may have.
        """
        fields = parameters(data, limits=limits)
        scope = byte_string(fields, Parameter.SCOPE, limits.max_credential)
        match codec.decode(scope):
            case [str(name), int(roles)]:
                pass
            case _:
                raise DecodeError("expected one scope entry of group name and roles", spec=f"{DRAFT} §3")
        return cls(
            name=group_name(name),
            roles=decode_roles(roles),
            credential=byte_string(fields, Parameter.CLIENT_CRED, limits.max_credential),
            cnonce=_nonce(fields, Parameter.CNONCE, limits),
            proof=byte_string(fields, Parameter.CLIENT_CRED_VERIFY, limits.max_credential),
            scope=scope,
        )


@dataclass(frozen=True, slots=True)
class JoinResponse:
    """The keys, and the proof that the Group Manager's credential is its own.

    Attributes:
        keys: of the epoch that begins with this join.
        kdc_nonce: N_KDC.
        proof: signature over `kdc_proof_input`.
    """

    keys: GroupKeys
    kdc_nonce: bytes
    proof: bytes

    def encode(self) -> bytes:
        """As a payload."""
        return self.keys.encode(kdc_nonce=self.kdc_nonce, proof=self.proof)

    @classmethod
    def decode(cls, data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> JoinResponse:
        """Read a payload; the proof is not verified yet.

        Raises:
            DecodeError, UnsupportedError: as for `GroupKeys.decode`.
        """
        fields = parameters(data, limits=limits)
        return cls(
            keys=GroupKeys.from_parameters(fields, limits=limits),
            kdc_nonce=_nonce(fields, Parameter.KDC_NONCE, limits),
            proof=byte_string(fields, Parameter.KDC_CRED_VERIFY, limits.max_credential),
        )


def _nonce(fields: dict[Any, Any], name: Parameter, limits: Limits) -> bytes:
    value = byte_string(fields, name, limits.max_nonce)
    if len(value) < _MIN_NONCE:
        raise DecodeError(f"expected {name.name.lower()} of at least {_MIN_NONCE} bytes", spec=f"{DRAFT} §5.3")
    return value
