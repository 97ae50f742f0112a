"""The voucher: the maker's server tells a thing, under a key that only they have, that it knows this domain.

It is bound to one session (H_21), to the thing (ID_CRED_I) and to the domain's credential (CRED_V), and nobody signs
it: whoever has the server's private key can make one (draft-ietf-lake-authz-07 §4.2, §4.3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.schedule import mix, open_sealed, seal, transcript_hash
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.protocols.lake_authz.message import DRAFT
from thingstead.secret import Secret

__all__ = ["Binding", "ValidVoucher", "VoucherKey", "answer_key", "authenticate", "begin", "issue", "session_hash"]

_LABELS = (2, 3)
"""info_label of K and of IV (§4.3.2)."""

_MAX_OPAQUE = 512
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Binding:
    """What one voucher is about: its external_aad.

    Attributes:
        h_21: see `session_hash`.
        id_cred_i: the thing's, whole.
        cred_v: the domain's credential, one CBOR item, as both sessions of the domain use it.
    """

    h_21: bytes
    id_cred_i: bytes
    cred_v: bytes


@dataclass(frozen=True, slots=True)
class VoucherKey:
    """PRK of one ephemeral key of a thing: it seals one voucher, or the nonce is used twice."""

    suite: CipherSuite
    prk: Secret


@dataclass(frozen=True, slots=True)
class ValidVoucher:
    """A voucher that holds for this session; made by `authenticate` alone.

    Attributes:
        binding: what it is about.
        opaque: OPAQUE_INFO, from the server for the thing; None where there is none.
    """

    binding: Binding
    opaque: bytes | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a ValidVoucher is made by voucher.authenticate")


def session_hash(suite: CipherSuite, message_1: bytes, message_2: bytes) -> bytes:
    """H_21 = H(message_2, H(message_1)), over a CBOR sequence as TH_2 is (§4.3.2, RFC 9528 §5.3.2).

    Args:
        suite: selected.
        message_1: as sent, without what CoAP puts in front.
        message_2: likewise; one CBOR byte string already.
    """
    return transcript_hash(suite, message_2 + codec.encode(transcript_hash(suite, message_1)))


def begin(
    suite: CipherSuite, server: PublicKey, ephemeral: Callable[[KeyType], PrivateKey]
) -> tuple[bytes, VoucherKey]:
    """The thing's part: EK_CT for Voucher_Info, and the key that the voucher will be under.

    Args:
        suite: selected in the session.
        server: PK_W, built into the thing.
        ephemeral: makes a fresh key pair of a curve; never G_X of the session (§6).

    Raises:
        UnsupportedError: the suite has no Diffie-Hellman, or another curve than the server's key.
    """
    _require_curve(suite, server)
    pair = ephemeral(suite.curve)
    return pair.public.x, VoucherKey(suite, mix(suite, b"", pair.agree(server)))


def answer_key(suite: CipherSuite, ek_ct: bytes, server: PrivateKey) -> VoucherKey:
    """The server's part.

    Raises:
        DecodeError: not a point of the suite's curve, or one of small order.
        UnsupportedError: as for `begin`.
    """
    _require_curve(suite, server.public)
    return VoucherKey(suite, mix(suite, b"", server.agree(PublicKey.from_x(suite.curve, ek_ct))))


def issue(key: VoucherKey, binding: Binding, *, opaque: bytes | None = None) -> bytes:
    """Encrypt the voucher; once for each EK_CT, whatever domains ask for: all vouchers of one key share a nonce.

    Raises:
        ValueError: more than 512 bytes of OPAQUE_INFO.
    """
    if opaque is not None and len(opaque) > _MAX_OPAQUE:
        raise ValueError(f"at most {_MAX_OPAQUE} bytes of OPAQUE_INFO")
    plaintext = b"" if opaque is None else codec.encode(opaque)
    return seal(key.suite, key.prk, _LABELS, th=b"", plaintext=plaintext, external_aad=_aad(binding))


def authenticate(voucher: bytes, key: VoucherKey, binding: Binding) -> ValidVoucher:
    """Verify a voucher as the thing does, with what it saw of the session itself (§4.4.4).

    Raises:
        AuthenticationError: for another session, thing or domain, or not of the maker's server.
        DecodeError: shorter than a tag, or something else than OPAQUE_INFO inside.
    """
    plaintext = open_sealed(key.suite, key.prk, _LABELS, th=b"", ciphertext=voucher, external_aad=_aad(binding))
    match codec.decode_sequence(plaintext):
        case []:
            return ValidVoucher(binding, None, _SEAL)
        case [bytes(opaque)] if len(opaque) <= _MAX_OPAQUE:
            return ValidVoucher(binding, opaque, _SEAL)
    raise DecodeError("expected OPAQUE_INFO at most in a voucher", spec=f"{DRAFT} §4.3.2")


def _aad(binding: Binding) -> bytes:
    return codec.encode_sequence(binding.h_21, binding.id_cred_i, binding.cred_v)


def _require_curve(suite: CipherSuite, server: PublicKey) -> None:
    if not suite.agrees or server.type != suite.curve:
        raise UnsupportedError(
            f"expected a suite whose key exchange is {server.type.name}, got suite {suite.number}", spec=f"{DRAFT} §4.2"
        )
