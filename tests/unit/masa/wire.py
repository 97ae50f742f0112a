"""A domain and its maker's server on a wire in memory."""

import random
from datetime import UTC, datetime

from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, ExchangeFailed, ResponseReceived
from thingstead.masa.authority import Authority
from thingstead.masa.record import Record
from thingstead.masa.sales import Sale, Sales
from thingstead.masa.server import MasaServer
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import VOUCHER_REQUEST_PATH, VoucherRequest
from thingstead.protocols.profile import join, path

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUITE = cipher_suite(2)
SESSION, VOUCHER = generate(KeyType.P256), generate(KeyType.P256)
THING = kid_reference(b"\x01\x02\x03\x04")
OTHER = kid_reference(b"\x05\x06\x07\x08")
MASA, DOMAIN = ("192.0.2.1", 5683), ("192.0.2.2", 40000)


def credential(key, name):
    claims = ccs.encode(key.public, subject=name)
    return Credential(kccs_reference(claims), claims, key.public)


KEY, STRANGER = generate(KeyType.P256), generate(KeyType.P256)
BUYER = credential(KEY, "home")


def sold(*sales):
    """What was sold: by default one thing to one domain, and another to nobody."""
    to = cose_key.thumbprint(KEY.public).hex()
    return Sales(sales or (Sale("A-1", THING.hex(), (to,)), Sale("A-2", OTHER.hex())))


def asked(*, thing=THING, session=b"1", suite=SUITE, fetch=False, server=VOUCHER.public):
    """A request, and the key that its voucher opens with."""
    ek_ct, key = voucher.begin(suite, server, generate)
    return VoucherRequest(suite, ek_ct, digest(session), thing, fetch), key


def in_memory(server):
    """Hands datagrams over to a server that is an object, and back."""

    def carry(outgoing, now):
        for data, _to in outgoing:
            server.receive_datagram(data, DOMAIN, now)
        server.run(now)
        return [data for data, _to in server.datagrams_to_send(now)]

    return carry


class Buyer:
    """A domain that asks a maker's server.

    Args:
        carry: takes datagrams and the time, and returns those that came back.
        server: the key that the owner knows the server by.
        key: the domain's.
    """

    def __init__(self, carry, *, server=SESSION.public, key=KEY):
        self._carry = carry
        self._server = server
        self.key = key
        self.credential = credential(key, "home")
        self._client = Endpoint(EndpointConfig(), random_bytes=random.Random(1).randbytes)
        self.now = 0.0

    def ask(self, message, *, association=None):
        """Send a request, and return its response."""
        self._client.send_request(message, MASA, self.now, association=association)
        for _ in range(8):
            self.now += 0.01
            for data in self._carry(self._client.datagrams_to_send(self.now), self.now):
                self._client.receive_datagram(data, MASA, self.now)
            while (event := self._client.next_event()) is not None:
                if isinstance(event, ResponseReceived):
                    return event.message
                if isinstance(event, ExchangeFailed):
                    raise event.error
        raise AssertionError("no response came")

    def edhoc(self, payload):
        return self.ask(
            request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)
        )

    def offer(self, own=None):
        """The handshake as far as the answer to message_3."""
        initiator = Initiator(
            method=join.METHOD,
            suites=join.SUITES,
            credential=own or self.credential,
            key=self.key,
            connection_id=b"\x37",
            ephemeral=generate,
        )
        message_1, waiting = initiator.message_1()
        offered = waiting.receive(self.edhoc(coap_carriage.frame_message_1(message_1)).payload)
        server = join.domain_credential(offered.id_cred_r)
        assert server.public == self._server
        message_3, last = offered.authenticate(server).message_3()
        return self.edhoc(coap_carriage.frame_message_3(offered.c_r, message_3)), last

    def meet(self):
        """The whole handshake; returns the association under which to ask."""
        answer, last = self.offer()
        oscore = last.receive(answer.payload).oscore()
        name = AssociationId("masa")
        self._client.install(Association(name, context_of(oscore), address=MASA))
        return name

    def voucher(self, payload, association):
        return self.ask(request(Code.POST, VOUCHER_REQUEST_PATH, payload=payload), association=association)


class Wire(Buyer):
    """A buyer and its maker's server."""

    def __init__(self, *, sales=sold, record=None, key=KEY):
        self.record = record or Record()
        self.server = MasaServer(
            "aurora",
            SESSION,
            authority=Authority("aurora", VOUCHER, sales=sales, record=self.record),
            utc=lambda: AT,
            random_bytes=random.Random(2).randbytes,
        )
        super().__init__(in_memory(self.server), key=key)
