"""A maker's server in a world: it sells, forgets its sessions when it dies, and goes on with its record."""

from __future__ import annotations

from tests.scenarios.world import LivingDomain, LivingThing, World
from thingstead.crypto.key import KeyType, PrivateKey, generate
from thingstead.endpoint.event import Address, AssociationId
from thingstead.masa.authority import Authority
from thingstead.masa.record import Record
from thingstead.masa.sales import Sale, Sales
from thingstead.masa.server import MasaServer
from thingstead.protocols.coap.message import Message
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile.birth import BIRTH
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.simulator.virtual.network import Host

__all__ = ["LivingMasa"]

ADDRESS = ("203.0.113.1", 5683)


class LivingMasa:
    """The server of a maker of the world, up from the start; domains that start later are given its card.

    Attributes:
        voucher_key: things know it by that.
        card: what others know of it.
        server: the one that lives, None while it is down.
    """

    def __init__(
        self, world: World, maker: str = "acme", *, voucher: PrivateKey | None = None, address: Address = ADDRESS
    ) -> None:
        self._world = world
        self._address = address
        self._session = generate(KeyType.P256)
        self.voucher_key: PrivateKey = voucher or generate(KeyType.P256)
        self._sold: tuple[Sale, ...] = ()
        self._record = Record()
        self._host: Host | None = None
        self.server: MasaServer | None = None
        self.card = MakerServer(maker, f"coap://{address[0]}", self._session.public, self.voucher_key.public)
        world.servers[maker] = self.card
        self.start()

    def sell(self, thing: LivingThing, *domains: LivingDomain) -> None:
        """Let these domains have a thing, and no other; nobody, if none is given."""
        born = birth_record.decode(thing.disk[BIRTH])
        name = birth_record.credential(born, ccs.decode(born.maker_identity).public).id_cred
        to = tuple(cose_key.thumbprint(domain.public).hex() for domain in domains)
        self._sold = (*[one for one in self._sold if one.serial != born.serial], Sale(born.serial, name.hex(), to))

    def start(self) -> None:
        """Begin a life without any session."""
        authority = Authority(self.card.maker, self.voucher_key, sales=lambda: Sales(self._sold), record=self._record)
        self.server = MasaServer(
            self.card.maker,
            self._session,
            authority=authority,
            utc=self._world.clock.utc,
            random_bytes=self._world.random.randbytes,
        )
        self._host = Host(self.server, self._address, self._world.network)

    def send(self, message: Message, association: AssociationId) -> None:
        """Let the server ask a domain something, which it never does by itself."""
        assert self.server is not None
        assert self._host is not None
        self.server._endpoint.send_request(message, None, self._world.clock.now(), association=association)
        self._host.flush()

    def crash(self) -> None:
        """End a life."""
        assert self._host is not None
        self._host.stop()
        self.server = None
