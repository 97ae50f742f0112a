"""A token in software, which CI has from a package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.conftest import require

__all__ = ["token"]

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_PIN, _OFFICER_PIN = "1234", "5678"
_KEYS: dict[str, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey] = {
    "release": ec.derive_private_key(1, ec.SECP256R1()),
    "wide": ec.derive_private_key(2, ec.SECP384R1()),
    "edwards": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)),
    "koblitz": ec.derive_private_key(3, ec.SECP256K1()),
}


@pytest.fixture(scope="session")
def token(program, tmp_path_factory) -> Callable[[str], str]:
    """The URI of a key on a token: ``token("release")``; one token for a process, whose library is set up once."""
    tool = program("softhsm2-util", package="softhsm2")
    module = next((path for path in _MODULES if Path(path).exists()), "")
    require(bool(module), "the module of softhsm2", "sudo apt-get install -y softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    (folder / "pin").write_text(_PIN)
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    _run(tool, "--init-token", "--free", "--label", "maker", "--so-pin", _OFFICER_PIN, "--pin", _PIN)
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    labelled = [*_KEYS.items(), ("rsa", rsa_key), ("twice", _KEYS["release"]), ("twice", _KEYS["wide"])]
    for number, (label, key) in enumerate(labelled, 1):
        pem = folder / f"{label}.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        _run(tool, "--import", str(pem), "--token", "maker", "--label", label, "--id", f"0{number}", "--pin", _PIN)
    return lambda label: f"pkcs11:token=maker;object={label}?module-path={module}&pin-source={folder}/pin"


def _run(tool: str, *words: str) -> None:
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
