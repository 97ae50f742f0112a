"""Bundles of Debian's rauc reach a device through the domain's door as they were made, and rauc itself is who judges.

Its updater is no Debian package of this release: what it asks is asked here, step by step (docs/interop.md).
"""

import asyncio
import hashlib
import json
import os
import random
import ssl
import subprocess
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.processes import short_directory
from tests.interop.ddi_domain import DdiDomain

pytestmark = [pytest.mark.interop, pytest.mark.slow]

MANIFEST = """[update]
compatible=Aurora GW-1
version=1.1.0

[bundle]
format={form}

[image.rootfs]
filename=rootfs.img
"""


@dataclass
class Rauc:
    """Debian's rauc, and a maker of bundles."""

    folder: Path
    root: Path

    def run(self, *arguments):
        places = [str(found) for part in ("lib", "usr/lib") for found in (self.root / part).glob("*-linux-gnu")]
        environment = {
            **os.environ,
            "PATH": f"{self.root / 'usr' / 'bin'}:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": ":".join(places),
        }
        command = [str(self.root / "usr" / "bin" / "rauc"), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def key(self, name):
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2"]
        subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        return key, certificate

    def bundle(self, key, certificate, *, form="plain"):
        source = self.folder / f"in-{form}"
        source.mkdir()
        (source / "manifest.raucm").write_text(MANIFEST.format(form=form))
        (source / "rootfs.img").write_bytes(random.Random(1).randbytes(50_000))
        made = self.folder / f"{form}.raucb"
        done = self.run("bundle", "--cert", certificate, "--key", key, source, made)
        assert done.returncode == 0, done.stderr
        return made

    def info(self, bundle, keyring):
        return self.run("info", "--output-format=json", "--keyring", keyring, bundle)


@pytest.fixture
def rauc(tmp_path, peers, program):
    program("openssl", package="openssl")
    return Rauc(tmp_path, Path(peers("updaters")) / "root")


def ask(domain, url, method="GET", body=None):
    """One request as the updater makes it."""
    where = urlsplit(url)
    trust = ssl.create_default_context(cafile=str(domain.authority))
    connection = HTTPSConnection(where.hostname or "", where.port, context=trust, timeout=10)
    headers = {"Authorization": f"TargetToken {domain.token}", "Accept": "application/hal+json"}
    connection.request(method, where.path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.status == 200, (url, response.status)
    return content


def update(domain):
    """The updater's dialogue: attributes, deployment, download, checksum, progress, result; gives the bundle."""
    base = f"https://localhost:{domain.port}/default/controller/v1/{domain.thing}"
    links = json.loads(ask(domain, base))["_links"]
    ask(domain, links["configData"]["href"], "PUT", {"mode": "merge", "data": {"product": "GW-1"}})
    deployment = links["deploymentBase"]["href"]
    told = json.loads(ask(domain, deployment))
    (one,) = told["deployment"]["chunks"][0]["artifacts"]
    assert one["filename"].endswith(".raucb")
    bundle = ask(domain, one["_links"]["download"]["href"])
    assert len(bundle) == one["size"]
    assert hashlib.sha1(bundle).hexdigest() == one["hashes"]["sha1"]
    for execution, finished in (("proceeding", "none"), ("closed", "success")):
        status = {"execution": execution, "result": {"finished": finished}, "details": ["rauc says so"]}
        ask(domain, f"{deployment}/feedback", "POST", {"id": told["id"], "status": status})
    return bundle


@pytest.mark.parametrize("form", ["plain", "verity"])
def test_a_bundle_comes_through_the_domain_as_it_was_made(rauc, tmp_path, form):
    key, certificate = rauc.key("bundles")
    made = rauc.bundle(key, certificate, form=form)

    async def story():
        with short_directory("rauc-") as folder:
            domain = DdiDomain(folder)
            async with domain.up():
                await domain.publish(made.read_bytes(), version="1.1.0", sequence_number=2)
                fetched = await asyncio.to_thread(update, domain)
                assert domain.version() == "1.1.0"
                assert domain.released() == (1, 1, 1, 0)
                return fetched

    fetched = tmp_path / "fetched.raucb"
    fetched.write_bytes(asyncio.run(story()))
    info = rauc.info(fetched, certificate)
    assert info.returncode == 0, info.stderr
    assert json.loads(info.stdout)["version"] == "1.1.0"


def test_rauc_refuses_what_another_signed_and_what_was_altered(rauc, tmp_path):
    key, certificate = rauc.key("bundles")
    _, other = rauc.key("others")
    made = rauc.bundle(key, certificate)
    assert "signature verification failed" in rauc.info(made, other).stderr
    content = bytearray(made.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "altered.raucb").write_bytes(content)
    assert rauc.info(tmp_path / "altered.raucb", certificate).returncode != 0
    (tmp_path / "bare.raucb").write_bytes(made.read_bytes()[:4096])
    assert rauc.info(tmp_path / "bare.raucb", certificate).returncode != 0
