"""The product's own controller for the bench: a domain in a directory, and newcomers whose handshake is behind them.

Nothing is left out: `running` opens the store on disk, the six planes, the pump on a UDP socket and the background
work. Only the handshake's result is given instead of computed, so that the load generator knows the keys.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path

from thingstead.controller.directory import DomainDirectory
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, SoftwareKey, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.phases.bootstrap import Newcomer
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.cwt.credential import issue_maker_identity
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.suit.identifier import vendor_identifier
from thingstead.secret import Secret

__all__ = ["Maker", "found", "oscore"]

_MAKER = "aurora"
_FIRST_ADDRESS = int(ip_address("10.1.0.0"))
_POLICY = """\
profile = "building"

[scope.bench]
"/h" = ["GET"]
"/b" = ["GET"]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]

[[rule]]
name = "all of it"
makers = ["aurora"]
models = ["*"]
zone = "bench"
scope = "bench"

[granted]
"/light" = ["GET", "PUT"]

[[series]]
name = "*"
purpose = "figures"
retention_days = 1
"""


class Maker:
    """Makes things that `found`'s domain trusts."""

    def __init__(self) -> None:
        self._key: SoftwareKey = generate(KeyType.P256)
        self._registrar = Registrar({_MAKER: self._key.public})

    @property
    def anchor(self) -> TrustAnchor:
        """What the owner trusts."""
        return TrustAnchor(_MAKER, self._key.public, (), vendor_identifier("aurora.example"))

    def newcomer(self, number: int, parameters: OscoreParameters) -> Newcomer:
        """A thing at the end of its handshake: its identity is issued, and verified as in a join."""
        at = datetime.now(UTC)  # noqa: TID251  a composition root
        encoded = issue_maker_identity(
            generate(KeyType.P256).public,
            self._key,
            maker=_MAKER,
            serial=f"L-{number:06}",
            model=f"lamp-{number % 3}",
            constrained_class=1,
            mud_url=f"https://mud.aurora.example/lamp-{number % 3}.json",
            support_end=date(at.year + 8, 12, 31),
            at=at,
            signature_id=AlgorithmId.ESP256,
        )
        identity = self._registrar.authenticate(encoded, at=at)
        return Newcomer(identity, parameters, str(ip_address(_FIRST_ADDRESS + number)))


def found(root: Path, maker: Maker, *, host: str, port: int) -> DomainDirectory:
    """Lay out a domain that admits every thing of `maker`."""
    directory = DomainDirectory(root)
    directory.create(
        settings=f'[domain]\nname = "bench"\n[coap]\nhost = "{host}"\nport = {port}\n'
        'multicast_group = ""\n[web]\nenabled = false\n',
        policy=_POLICY,
    )
    directory.trust_maker(maker.anchor)
    return directory


def oscore(secret: bytes, *, salt: bytes, sender_id: bytes, recipient_id: bytes) -> OscoreParameters:
    """What a handshake would have agreed on, from the domain's side."""
    return OscoreParameters(
        Secret(secret), salt, sender_id, recipient_id, AlgorithmId.AES_CCM_16_64_128, AlgorithmId.SHA_256
    )
