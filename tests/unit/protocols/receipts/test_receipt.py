from typing import Any

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.receipts import merkle, receipt
from thingstead.protocols.receipts.receipt import InclusionProof, ProvenEntry

_KEY = generate(KeyType.P256)
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_OTHER = merkle.leaf_hash(b"other")
_ROOT = merkle.node_hash(merkle.leaf_hash(b"entry"), _OTHER)
_PROOF = InclusionProof(2, 0, (_OTHER,))
_ENCODED = codec.encode([2, 0, [_OTHER]])


def _receipt(proofs: Any = None, *, vds: Any = 1, detached: bool = True, tagged: bool = True, vdp: Any = None) -> bytes:
    return sign1.sign(
        _ROOT,
        _KEY,
        signature_id=AlgorithmId.ESP256,
        protected={395: vds},
        unprotected={396: {-1: [_ENCODED] if proofs is None else proofs} if vdp is None else vdp},
        detached=detached,
        tagged=tagged,
    )


def _authenticate(data: bytes, entry: bytes = b"entry") -> ProvenEntry:
    return receipt.authenticate(data, entry, public=_KEY.public, accept=_ACCEPT)


@pytest.mark.spec("RFC 9942 5.2.1")
def test_a_receipt_proves_its_entry():
    data = receipt.issue(_ROOT, _PROOF, _KEY, signature_id=AlgorithmId.ESP256, kid=b"ledger")
    proven = _authenticate(data)
    assert (proven.entry, proven.proof, proven.root) == (b"entry", _PROOF, _ROOT)
    parsed = receipt.decode(data)
    assert receipt.authenticate(parsed, b"entry", public=_KEY.public, accept=_ACCEPT) == proven


@pytest.mark.spec("RFC 9162 2.1.3")
def test_the_only_entry_of_a_tree_needs_no_path():
    data = receipt.issue(merkle.leaf_hash(b"e"), InclusionProof(1, 0, ()), _KEY, signature_id=AlgorithmId.ESP256)
    assert _authenticate(data, b"e").proof.size == 1


@pytest.mark.spec("RFC 9942 5.2.1")
@pytest.mark.parametrize("entry", [b"", b"Entry", b"entry\x00", b"other"])
def test_another_entry_is_not_proved(entry):
    with pytest.raises(AuthenticationError):
        _authenticate(_receipt(), entry)


@pytest.mark.parametrize("proof", [[2, 1, [_OTHER]], [2, 0, [bytes(32)]], [3, 0, [_OTHER, _OTHER]]])
def test_a_proof_of_another_place_or_tree_is_not_believed(proof):
    with pytest.raises(AuthenticationError):
        _authenticate(_receipt([codec.encode(proof)]))


def test_a_receipt_of_another_signer_is_not_believed():
    data = receipt.issue(_ROOT, _PROOF, generate(KeyType.P256), signature_id=AlgorithmId.ESP256)
    with pytest.raises(AuthenticationError):
        _authenticate(data)


@pytest.mark.spec("RFC 9942 5.2")
@pytest.mark.parametrize(
    "proof",
    [
        None,
        7,
        b"",
        b"\xff",
        codec.encode([]),
        codec.encode([2, 0]),
        codec.encode([2, 0, [_OTHER], 0]),
        codec.encode([2, True, [_OTHER]]),
        codec.encode(["2", 0, [_OTHER]]),
        codec.encode([2, 0, _OTHER]),
        codec.encode([2, 0, ["x" * 32]]),
        codec.encode([2, 0, [_OTHER[:31]]]),
        codec.encode([2, 2, [_OTHER]]),
        codec.encode([2, -1, [_OTHER]]),
        codec.encode([2, 0, []]),
        codec.encode([2, 0, [_OTHER, _OTHER]]),
        codec.encode([1 << 63, 0, [_OTHER]]),
        _ENCODED + b"\x00",
    ],
)
def test_what_is_no_inclusion_proof_is_refused(proof):
    with pytest.raises(DecodeError):
        _authenticate(_receipt([proof]))


@pytest.mark.spec("RFC 9942 4.2")
@pytest.mark.parametrize(
    ("data", "error"),
    [
        (_receipt(tagged=False), "tag of COSE_Sign1"),
        (_receipt(detached=False), "detached root"),
        (_receipt([]), "inclusion proof under vdp"),
        (_receipt(vdp={}), "inclusion proof under vdp"),
        (_receipt(vdp={-2: [_ENCODED]}), "inclusion proof under vdp"),
        (_receipt(vdp={-1: _ENCODED}), "inclusion proof under vdp"),
    ],
)
def test_a_receipt_of_another_form_is_refused(data, error):
    with pytest.raises(DecodeError, match=error):
        _authenticate(data)


@pytest.mark.spec("RFC 9942 5.1")
@pytest.mark.parametrize("data", [_receipt(vds=2), _receipt(vds="RFC9162_SHA256"), _receipt([_ENCODED, _ENCODED])])
def test_what_we_do_not_implement_is_said_to_be_so(data):
    with pytest.raises(UnsupportedError):
        _authenticate(data)


def test_a_data_structure_named_outside_the_signature_does_not_count():
    data = sign1.sign(_ROOT, _KEY, signature_id=-9, unprotected={395: 1, 396: {-1: [_ENCODED]}}, detached=True)
    with pytest.raises(UnsupportedError, match="None"):
        _authenticate(data)


def test_a_proven_entry_is_made_by_its_verification_alone():
    with pytest.raises(TypeError):
        ProvenEntry(b"entry", _PROOF, _ROOT, _KEY.public, object())
