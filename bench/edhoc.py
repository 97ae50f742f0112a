"""CPU of one side of an EDHOC handshake: method 3, suite 2, message_4, credentials by kid.

Beside lakers (Rust), and beside the same calls to `cryptography` with no protocol around them. Each number is a
median over five turns of sixty handshakes that alternate between the contenders; the peer runs in its own environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from bench.figure import Figure
from thingstead.crypto.key import KeyType, SoftwareKey, generate
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.responder import Responder

__all__ = ["figures"]

_TURNS, _ROUNDS, _WARM_UP = 5, 60, 20
_PEER = Path(__file__).resolve().parents[1] / "build" / "peers" / "python" / "bin" / "python"
_CURVE = ec.SECP256R1()
# HKDF of either side: KEYSTREAM_2, two salts, two MACs, K_3, IV_3, K_4, IV_4, PRK_out, PRK_exporter; three extractions
# cost about the same as an expansion.
_EXPANSIONS = 14
_SEALED = 2

_PEER_SCRIPT = """
import json, sys, time
import lakers
rounds, sk_i, sk_r, cred_i, cred_r = json.loads(sys.argv[1])
sk_i, sk_r = bytes.fromhex(sk_i), bytes.fromhex(sk_r)
ci, cr = lakers.Credential(bytes.fromhex(cred_i)), lakers.Credential(bytes.fromhex(cred_r))
ref, now = lakers.CredentialTransfer.ByReference, time.perf_counter_ns
out = [[], []]
for _ in range(rounds):
    t0 = now(); i = lakers.EdhocInitiator(); m1 = i.prepare_message_1(c_i=b"\\x01")
    t1 = now(); r = lakers.EdhocResponder(sk_r, cr); r.process_message_1(m1); m2 = r.prepare_message_2(ref, b"\\x02")
    t2 = now(); i.parse_message_2(m2); i.verify_message_2(sk_i, ci, cr); m3, _ = i.prepare_message_3(ref)
    t3 = now(); r.parse_message_3(m3); r.verify_message_3(ci); m4 = r.prepare_message_4()
    t4 = now(); i.process_message_4(m4)
    t5 = now()
    out[0].append(t1 - t0 + t3 - t2 + t5 - t4); out[1].append(t2 - t1 + t4 - t3)
print(json.dumps(out))
"""


def figures() -> list[Figure]:
    """Microseconds of each side, beside lakers where its environment is there, and beside the bare calls."""
    key_i, key_r = generate(KeyType.P256), generate(KeyType.P256)
    credential_i, credential_r = _credential(key_i, b"\x2b"), _credential(key_r, b"\x32")
    for _ in range(_WARM_UP):
        _handshake(credential_i, key_i, credential_r, key_r)
        _bare()
    ours: tuple[list[int], list[int]] = ([], [])
    theirs: tuple[list[int], list[int]] = ([], [])
    bare: list[int] = []
    for _ in range(_TURNS):
        for _ in range(_ROUNDS):
            initiator, responder = _handshake(credential_i, key_i, credential_r, key_r)
            ours[0].append(initiator)
            ours[1].append(responder)
            bare.append(_timed(_bare))
        for side, times in zip(theirs, _lakers(key_i, key_r, credential_i, credential_r), strict=True):
            side.extend(times[_WARM_UP:])
    found = []
    for number, role in enumerate(("Initiator", "Responder")):
        mine = median(ours[number]) / 1000
        peer = median(theirs[number]) / 1000 if theirs[number] else None
        found.append(Figure(f"EDHOC method 3, suite 2, {role}", "us", mine, peer, "lakers-python" if peer else ""))
        found.append(
            Figure(f"EDHOC {role} beside bare calls", "us", mine, median(bare) / 1000, "cryptography, no protocol")
        )
    return found


def _credential(key: SoftwareKey, kid: bytes) -> Credential:
    return Credential(kid_reference(kid), ccs.encode(key.public, kid=kid, subject="bench"), key.public)


def _handshake(
    credential_i: Credential, key_i: SoftwareKey, credential_r: Credential, key_r: SoftwareKey
) -> tuple[int, int]:
    """Nanoseconds of the Initiator and of the Responder."""
    now = perf_counter_ns
    t0 = now()
    offer = Initiator(
        method=3, suites=(2,), credential=credential_i, key=key_i, connection_id=b"\x01", ephemeral=generate
    )
    message_1, waiting_2 = offer.message_1()
    t1 = now()
    acceptance = Responder(methods=frozenset({3}), suites=(2, 3), ephemeral=generate)
    message_2, waiting_3 = acceptance.receive(message_1).message_2(b"\x02", credential_r, key=key_r)
    t2 = now()
    message_3, waiting_4 = waiting_2.receive(message_2).authenticate(credential_r).message_3()
    t3 = now()
    message_4, _completed = waiting_3.receive(message_3).authenticate(credential_i).message_4()
    t4 = now()
    waiting_4.receive(message_4)
    t5 = now()
    return t1 - t0 + t3 - t2 + t5 - t4, t2 - t1 + t4 - t3


_PUBLIC = ec.generate_private_key(_CURVE).public_key()
_X = _PUBLIC.public_numbers().x.to_bytes(32, "big")
_STATIC = ec.generate_private_key(_CURVE)


def _bare() -> None:
    """One key pair, one point from its x, three agreements, the key derivations and two AEAD calls."""
    ephemeral = ec.generate_private_key(_CURVE)
    ephemeral.public_key().public_numbers()
    point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x02" + _X)
    ephemeral.exchange(ec.ECDH(), point)
    ephemeral.exchange(ec.ECDH(), _PUBLIC)
    secret = _STATIC.exchange(ec.ECDH(), point)
    for _ in range(_EXPANSIONS):
        key = HKDFExpand(hashes.SHA256(), 32, _X).derive(secret)
    for _ in range(_SEALED):
        AESCCM(key[:16], tag_length=8).encrypt(key[:13], _X, _X)


def _timed(function: Callable[[], Any]) -> int:
    start = perf_counter_ns()
    function()
    return perf_counter_ns() - start


def _lakers(key_i: SoftwareKey, key_r: SoftwareKey, *credentials: Credential) -> list[list[int]]:
    if not _PEER.exists():
        print("ABSENT: build/peers (make peers); EDHOC is measured without lakers", file=sys.stderr)
        return [[], []]
    keys = [key.private_bytes().reveal().hex() for key in (key_i, key_r)]
    argument = json.dumps([_WARM_UP + _ROUNDS, *keys, *[credential.cred.hex() for credential in credentials]])
    output = subprocess.run([_PEER, "-c", _PEER_SCRIPT, argument], capture_output=True, check=True, text=True).stdout
    times: list[list[int]] = json.loads(output)
    return times
