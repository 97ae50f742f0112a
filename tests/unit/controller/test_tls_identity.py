import asyncio
import ssl
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from thingstead.controller.tls_identity import TlsIdentity, open_authority
from thingstead.crypto.certificate import load_certificates, verify_chain
from thingstead.errors import ConfigError


def identity(folder, clock=None, host="updates.example"):
    return TlsIdentity(folder, domain="home", host=host, clock=clock or JumpingClock())


def server_of(folder):
    (server,) = load_certificates((folder / "server.pem").read_bytes())
    return server


@pytest.mark.parametrize("host", ["updates.example", "192.0.2.1", "2001:db8::1"])
def test_the_server_is_certified_under_an_authority_of_the_domains(tmp_path, host):
    clock = JumpingClock()
    made = identity(tmp_path / "tls", clock, host)
    (authority,) = load_certificates(made.authority)
    assert verify_chain(server_of(tmp_path / "tls"), (), anchors=(authority,), at=clock.utc())
    assert made.context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert made.context.verify_mode is ssl.CERT_OPTIONAL


def test_the_authority_outlives_its_program_and_the_servers_key_does_not(tmp_path):
    first = identity(tmp_path / "tls")
    before = server_of(tmp_path / "tls")
    second = identity(tmp_path / "tls")
    assert first.authority == second.authority
    assert server_of(tmp_path / "tls").public != before.public


def test_a_certificate_is_renewed_long_before_its_end(tmp_path):
    clock = JumpingClock()
    made = identity(tmp_path / "tls", clock)
    first = server_of(tmp_path / "tls")
    clock.seconds += timedelta(days=29).total_seconds()
    asyncio.run(made.renew())
    assert server_of(tmp_path / "tls") == first
    clock.seconds += timedelta(days=2).total_seconds()
    asyncio.run(made.renew())
    assert server_of(tmp_path / "tls").expires > first.expires


def test_no_certificate_outlives_the_authority(tmp_path):
    clock = JumpingClock()
    identity(tmp_path / "tls", clock)
    clock.seconds += timedelta(days=20 * 365 - 10).total_seconds()
    assert server_of(tmp_path / "tls").expires < identity(tmp_path / "tls", clock).expires
    assert server_of(tmp_path / "tls").expires <= identity(tmp_path / "tls", clock).expires


def test_keys_are_closed_to_others(tmp_path):
    identity(tmp_path / "tls")
    for name in ("authority.key", "server.pem"):
        assert (tmp_path / "tls" / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["authority.pem"])
def test_a_damaged_authority_is_not_replaced(tmp_path, name):
    identity(tmp_path / "tls")
    (tmp_path / "tls" / name).write_bytes(b"damaged")
    with pytest.raises(ConfigError):
        identity(tmp_path / "tls")


def test_an_authority_without_its_key_is_not_replaced(tmp_path):
    clock = JumpingClock()
    open_authority(tmp_path / "tls", domain="home", at=clock.utc())
    (tmp_path / "tls" / "authority.key").unlink()
    with pytest.raises(ConfigError):
        identity(tmp_path / "tls")


def test_a_folder_that_others_may_enter_is_refused(tmp_path):
    (tmp_path / "tls").mkdir(mode=0o755)
    with pytest.raises(ConfigError):
        identity(tmp_path / "tls")
