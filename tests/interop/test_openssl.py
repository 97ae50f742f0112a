"""X.509 credentials of EDHOC beside openssl: it makes what we take, and decides on chains as we do."""

import subprocess
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from tests.unit.protocols.edhoc.certificates import AT, ODD, YEAR, Authority, usage
from tests.unit.protocols.edhoc.party import run
from thingstead.crypto.certificate import load_certificate
from thingstead.crypto.key import KeyType, generate, private_key
from thingstead.errors import SecurityError
from thingstead.protocols.edhoc.authentication import Authentication
from thingstead.protocols.edhoc.certificate import (
    authenticate_certificate,
    certificate_credential,
    x5chain_reference,
    x5t_reference,
    x5u_reference,
)
from thingstead.protocols.edhoc.credential import CredentialReference
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.secret import Secret

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.spec("RFC 5280 6")]

KEY = generate(KeyType.P256)
ROOT = Authority("Root")
FACTORY = Authority("Factory", issuer=ROOT, path_length=0, extensions=(usage("key_cert_sign"),))
BELOW = Authority("Below", issuer=FACTORY)
THING = Authority("Thing that is no authority", issuer=ROOT, ca=False)
STRANGER = Authority("Root")
PAST, FUTURE = (AT - 2 * YEAR, AT - YEAR), (AT + timedelta(days=1), AT + YEAR)
ODD_ONE = Authority("Odd", issuer=ROOT, extensions=((ODD, True),))

CHAINS = {
    "under the root": (ROOT.certify(KEY.public),),
    "under an authority below the root": (FACTORY.certify(KEY.public), FACTORY.certificate),
    "with a key usage": (ROOT.certify(KEY.public, extensions=(usage("digital_signature"),)),),
    "with an odd extension that is not critical": (ROOT.certify(KEY.public, extensions=((ODD, False),)),),
    "expired": (ROOT.certify(KEY.public, span=PAST),),
    "not valid yet": (ROOT.certify(KEY.public, span=FUTURE),),
    "under another root of the same name": (STRANGER.certify(KEY.public),),
    "without the authority in between": (FACTORY.certify(KEY.public),),
    "with one authority too many": (BELOW.certify(KEY.public), BELOW.certificate, FACTORY.certificate),
    "under a thing": (THING.certify(KEY.public), THING.certificate),
    "with an odd critical extension": (ROOT.certify(KEY.public, extensions=((ODD, True),)),),
    "under an authority with an odd critical extension": (ODD_ONE.certify(KEY.public), ODD_ONE.certificate),
}


@pytest.fixture
def openssl(program):
    path = program("openssl", package="openssl")

    def call(*arguments):
        return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False)

    return call


def write(path, *certificates):
    path.write_bytes(b"".join(one.x509.public_bytes(Encoding.PEM) for one in certificates))
    return path


@pytest.mark.parametrize("name", CHAINS)
def test_openssl_and_we_decide_alike(openssl, tmp_path, name):
    leaf, *others = CHAINS[name]
    theirs = openssl(
        "verify", "-no-CApath", "-attime", int(AT.timestamp()),
        "-CAfile", write(tmp_path / "root.pem", ROOT.certificate),
        *(("-untrusted", write(tmp_path / "others.pem", *others)) if others else ()),
        write(tmp_path / "leaf.pem", leaf),
    )  # fmt: skip
    try:
        authenticate_certificate(
            CredentialReference(x5u_reference("coaps://x")),
            (leaf, *others),
            anchors=(ROOT.certificate,),
            kind=Authentication.SIGNATURE,
            at=AT,
        )
    except SecurityError:
        ours = False
    else:
        ours = True
    assert ours == (theirs.returncode == 0), theirs.stderr


@pytest.mark.spec("RFC 9528 3.5.2")
@pytest.mark.parametrize("refer", [x5t_reference, lambda leaf: x5chain_reference([leaf])], ids=["x5t", "x5chain"])
@pytest.mark.parametrize("method", range(4))
def test_parties_with_certificates_made_by_openssl_complete(openssl, tmp_path, method, refer):
    root = tmp_path / "root.pem"
    made = openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        tmp_path / "root.key", "-out", root, "-subj", "/CN=Maker", "-days", "30",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    anchor = load_certificate(root.read_bytes())
    parties = []
    for name in ("thing", "domain"):
        made = openssl(
            "req", "-x509", "-CA", root, "-CAkey", tmp_path / "root.key", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem",
            "-subj", f"/CN={name}", "-days", "30", "-addext", "basicConstraints=critical,CA:false",
            "-addext", "keyUsage=critical,digitalSignature,keyAgreement",
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        leaf = load_certificate((tmp_path / f"{name}.pem").read_bytes())
        loaded: Any = load_pem_private_key((tmp_path / f"{name}.key").read_bytes(), None)
        scalar = loaded.private_numbers().private_value.to_bytes(32, "big")
        key = private_key(KeyType.P256, Secret(scalar))
        parties.append((certificate_credential(leaf, refer(leaf)), key, leaf))

    def trust(leaf):
        return lambda reference: (
            authenticate_certificate(
                reference, (leaf,), anchors=(anchor,), kind=Authentication.STATIC_DH, at=anchor.expires
            ).credential
        )

    (credential_i, key_i, leaf_i), (credential_r, key_r, leaf_r) = parties
    ends = run(
        cipher_suite(2),
        method,
        (credential_i, key_i),
        (credential_r, key_r),
        find_r=trust(leaf_r),
        find_i=trust(leaf_i),
    )
    assert ends[0].oscore().master_secret == ends[1].oscore().master_secret
