"""Check a ledger against its signed heads, and say where it was changed (RFC 9162 §2.1, RFC 9052 §4.4).

It needs three things: the controller's database, the newest signed head kept outside the data directory,
and the ledger's public key as a COSE_Key. It trusts the key, and nothing that is in the data directory.
Exit codes: 0 the ledger holds, 1 it does not, 2 it could not be checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

__all__ = ["Finding", "Unusable", "Verdict", "check", "main"]

_HEAD_TYPE = "application/vnd.thingstead.tree-head+cbor"
_ESP256, _ML_DSA_44 = -9, -48
_ALG, _TYP = 1, 16
_SIGN1_TAG = 18


class Unusable(Exception):  # noqa: N818  nothing was found wrong, nothing was found right
    """An input that cannot be read: no statement about the ledger can be made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: in entries `first` to `last`, counted from 0."""

    kind: str
    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: `size` entries with `root`, of which a head kept outside covers the first `signed`."""

    holds: bool
    size: int
    root: str
    signed: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    size: int
    root: bytes
    domain: str


class _Tree:
    """Roots of ever more leaves, from the peaks of complete subtrees alone."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        width, carried = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while self._peaks and self._peaks[-1][0] == width:
            carried = _node(self._peaks.pop()[1], carried)
            width *= 2
        self._peaks.append((width, carried))

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = _node(peak, root)
        return root


def check(database: Path, head: bytes, key: bytes) -> Verdict:
    """Compare the ledger in `database` with `head` and the heads beside it, all under `key` (a COSE_Key).

    Raises:
        Unusable: the database or the key cannot be read.
    """
    public = _load_key(key)
    rows, kept = _read(database)
    heads, bad = _check_heads(kept, public)
    findings = [*_check_entries(rows), *bad]
    signed = 0
    try:
        outside = _open_head(head, public)
    except ValueError as error:
        findings.append(Finding("head", 0, 0, f"the head kept outside does not verify: {error}"))
    else:
        findings += [
            Finding("head", 0, one.size - 1, f"the stored head over {one.size} entries is of domain {one.domain!r}")
            for one in heads
            if one.domain != outside.domain
        ]
        heads.append(outside)
        signed = outside.size
    root, more = _check_roots(rows, heads)
    findings += more
    return Verdict(not findings, len(rows), root.hex(), signed, tuple(findings))


def _check_entries(rows: list[tuple[int, bytes, bytes]]) -> list[Finding]:
    """Each row by itself: its place, its hash, and the index inside the leaf."""
    found: list[Finding] = []
    expected = shift = 0
    present = {_index(leaf) for _, leaf, _ in rows}
    for place, leaf, stored in rows:
        if place > expected:
            found.append(Finding("removed", expected, place - 1, "removed: nothing stands in its place"))
        expected = place + 1
        index = _index(leaf)
        if hashlib.sha256(b"\x00" + leaf).digest() != stored:
            found.append(Finding("changed", place, place, "changed: it does not have the hash stored beside it"))
        elif index is None:
            found.append(Finding("changed", place, place, "changed: it is no ledger entry"))
        elif index - place != shift:
            shift = index - place
            if shift:
                kind = "reordered" if place in present else "removed"
                found.append(Finding(kind, place, place, f"{kind}: entry {index} stands in its place"))
    return found


def _check_heads(kept: list[tuple[int, bytes]], public: _Key) -> tuple[list[_Head], list[Finding]]:
    """The heads in the database; a forged one proves nothing but that someone forged it."""
    heads: list[_Head] = []
    found: list[Finding] = []
    for size, document in kept:
        try:
            heads.append(_open_head(document, public))
        except ValueError as error:
            found.append(Finding("head", 0, size - 1, f"the stored head over {size} entries does not verify: {error}"))
    return heads, found


def _check_roots(rows: list[tuple[int, bytes, bytes]], heads: list[_Head]) -> tuple[bytes, list[Finding]]:
    """Grow the tree past every head: a change lies between the last head that fits and the first that does not."""
    found: list[Finding] = []
    tree, size, good = _Tree(), 0, 0
    for head in sorted(heads, key=_by_size):
        if head.size > len(rows):
            text = f"cut: a head was signed over {head.size} entries, {len(rows)} are here"
            found.append(Finding("cut", len(rows), head.size - 1, text))
            break
        for _, leaf, _ in rows[size : head.size]:
            tree.append(leaf)
        size = head.size
        if tree.root() != head.root:
            text = f"changed: the head over {good} entries fits, the head over {size} does not"
            found.append(Finding("changed", good, size - 1, text))
            break
        good = size
    for _, leaf, _ in rows[size:]:
        tree.append(leaf)
    return tree.root(), found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _by_size(head: _Head) -> int:
    return head.size


def _read(database: Path) -> tuple[list[tuple[int, bytes, bytes]], list[tuple[int, bytes]]]:
    if not database.is_file():
        raise Unusable(f"there is no database {database}")
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT place, leaf, leaf_hash FROM ledger ORDER BY place").fetchall()
            heads = connection.execute("SELECT size, document FROM ledger_head ORDER BY size").fetchall()
    except sqlite3.Error as error:
        raise Unusable(f"cannot read {database}: {error}") from error
    return [(place, _blob(leaf), _blob(stored)) for place, leaf, stored in rows], [
        (size, _blob(document)) for size, document in heads
    ]


def _blob(value: Any) -> bytes:
    """What a column must hold; anything else is as good as nothing."""
    return value if isinstance(value, bytes) else b""


def _index(leaf: bytes) -> int | None:
    try:
        index = cbor2.loads(leaf)[0]
    except Exception:  # noqa: BLE001  whatever is wrong with it, it is no leaf
        return None
    return index if type(index) is int else None


_Key = ec.EllipticCurvePublicKey | mldsa.MLDSA44PublicKey


def _load_key(encoded: bytes) -> _Key:
    """A COSE_Key: EC2 on P-256, or AKP of ML-DSA-44 (RFC 9053 §7.1.1, RFC 9964)."""
    try:
        key = cbor2.loads(encoded)
        if key[1] == 2 and key[-1] == 1:
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key[-2] + key[-3])
        if key[1] == 7 and key[3] == _ML_DSA_44:
            return mldsa.MLDSA44PublicKey.from_public_bytes(key[-1])
    except (cbor2.CBORDecodeError, ValueError, KeyError, TypeError, IndexError) as error:
        raise Unusable(f"the key is not a COSE_Key: {error}") from error
    raise Unusable("expected a COSE_Key on P-256 or of ML-DSA-44")


def _open_head(document: bytes, public: _Key) -> _Head:
    """Verify a COSE_Sign1 that holds a tree head. The key decides the algorithm, never the message."""
    try:
        message: Any = cbor2.loads(document)
        protected, _, payload, signature = message.value
        covered = cbor2.dumps(["Signature1", protected, b"", payload])
        if isinstance(public, mldsa.MLDSA44PublicKey):
            algorithm = _ML_DSA_44
            public.verify(signature, covered)
        else:
            algorithm = _ESP256
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            public.verify(encode_dss_signature(r, s), covered, ec.ECDSA(hashes.SHA256()))
        header, value = cbor2.loads(protected), cbor2.loads(payload)
        signed = (message.tag, header.get(_ALG), header.get(_TYP))
        head = _Head(value[0], value[1], value[3])
    except InvalidSignature:
        raise ValueError("the signature is not of this key") from None
    except Exception as error:
        raise ValueError(f"it is not a signed tree head ({type(error).__name__})") from error
    if signed != (_SIGN1_TAG, algorithm, _HEAD_TYPE):
        raise ValueError("it is something else that this key signed")
    return head


def main(arguments: list[str] | None = None) -> int:
    """The command ``thingstead-ledger-verify``."""
    parser = argparse.ArgumentParser(
        prog="thingstead-ledger-verify",
        description="Check a ledger against its signed heads, and say where it was changed.",
        epilog="Exit codes: 0 the ledger holds, 1 it does not, 2 it could not be checked.",
    )
    parser.add_argument("database", type=Path, help="the controller's thingstead.sqlite; it is only read")
    parser.add_argument("--head", type=Path, required=True, help="the signed head kept outside the data directory")
    parser.add_argument("--key", type=Path, required=True, help="the ledger's public key, a COSE_Key in CBOR")
    parser.add_argument("--json", action="store_true", help="print the verdict for programs")
    options = parser.parse_args(arguments)
    try:
        verdict = check(options.database, options.head.read_bytes(), options.key.read_bytes())
    except (Unusable, OSError) as error:
        sys.stderr.write(f"could not check: {error}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(verdict), indent=2) + "\n" if options.json else _text(verdict))
    return 0 if verdict.holds else 1


def _text(verdict: Verdict) -> str:
    if verdict.holds:
        newer = verdict.size - verdict.signed
        rest = f"; {newer} newer than the head kept outside" if newer else ""
        return f"the ledger holds: {verdict.size} entries{rest}\nroot {verdict.root}\n"
    lines = ["the ledger does NOT hold:"]
    for found in verdict.findings:
        place = f"entry {found.first}" if found.first == found.last else f"entries {found.first} to {found.last}"
        lines.append(f"  {place}: {found.text}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
