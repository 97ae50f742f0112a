"""The domain's name in TLS, for devices that know nothing else of it: an authority of its own, and a server under it.

The authority lies in the domain's directory, its key too; devices are given its certificate (`thingstead domain
authority`). The server's certificate is made anew at each start and while the domain runs: nobody has to remember when
it ends.
"""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from pathlib import Path

from thingstead.clock import Clock
from thingstead.crypto.authority import Signer, certify_client, make_authority, make_server
from thingstead.crypto.certificate import Certificate, load_certificate
from thingstead.errors import ConfigError, StorageError, ThingsteadError
from thingstead.secret import Secret
from thingstead.storage.directory import private_directory, write_whole

__all__ = ["TlsIdentity", "open_authority"]

_AUTHORITY_LIFETIME = timedelta(days=20 * 365)
_SERVER_LIFETIME = timedelta(days=90)
_DEVICE_LIFETIME = timedelta(days=2 * 365)
_RENEWAL = timedelta(days=30)
_SLACK = timedelta(hours=1)
"""Before now: a device's clock may be behind ours."""


class TlsIdentity:
    """The server's certificate and key, renewed in place.

    Args:
        folder: of the files; made if it is not there.
        domain: the domain's name, for people.
        host: DNS name or IP address that devices call the server by.
        clock: for UTC.

    Attributes:
        context: what connections are taken with.
        authority: its certificate, in PEM.
        expires: when the authority ends, and each device has to know another.
    """

    def __init__(self, folder: Path, *, domain: str, host: str, clock: Clock) -> None:
        """Open the authority, or make it, and certify the server.

        Raises:
            ConfigError: others may enter the folder, or what is in it is damaged.
            StorageError: the disk does not keep it.
        """
        self._folder = folder
        self._host = host
        self._clock = clock
        self._signer = open_authority(folder, domain=domain, at=clock.utc())
        self.authority = self._signer.chain_pem
        self.expires = self._signer.certificate.expires
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.num_tickets = 0
        # A device may show one of ours instead of a token; that the authority signed it is not what lets it in.
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.load_verify_locations(cadata=self.authority.decode("ascii"))
        self._certify(clock.utc())

    def certify(self, request: bytes, name: str) -> Certificate:
        """Certify the key of a device's request; errors as for `authority.certify_client`."""
        at = self._clock.utc()
        until = min(at + _DEVICE_LIFETIME, self.expires)
        return certify_client(request, self._signer, name=name, not_before=at - _SLACK, not_after=until)

    async def renew(self) -> None:
        """Certify the server anew when a third of its time is over; connections that stand go on."""
        at = self._clock.utc()
        if self._certified_at + _RENEWAL <= at:
            self._certify(at)

    def _certify(self, at: datetime) -> None:
        until = min(at + _SERVER_LIFETIME, self.expires)
        server = make_server(self._host, self._signer, not_before=at - _SLACK, not_after=until)
        path = self._folder / "server.pem"
        write_whole(path, server.chain_pem + server.key_pem.reveal())
        try:
            self.context.load_cert_chain(path)
        except (OSError, ssl.SSLError) as error:
            raise StorageError(f"cannot use {path}: {error}") from error
        self._certified_at = at


def open_authority(folder: Path, *, domain: str, at: datetime) -> Signer:
    """The domain's authority in TLS, made where there is none yet.

    Raises:
        ConfigError: others may enter the folder, or what is in it is damaged.
        StorageError: the disk does not keep it.
    """
    private_directory(folder)
    certificate, key = folder / "authority.pem", folder / "authority.key"
    if not certificate.exists():
        made = make_authority(f"Thingstead {domain}", not_before=at - _SLACK, not_after=at + _AUTHORITY_LIFETIME)
        write_whole(key, made.key_pem.reveal())
        # Last: its presence is what says that the key is whole.
        write_whole(certificate, made.chain_pem)
        return made
    try:
        return Signer(load_certificate(certificate.read_bytes()), Secret(key.read_bytes()))
    except (OSError, ThingsteadError) as error:
        raise ConfigError(f"expected the domain's authority in {folder}: {error}") from error
