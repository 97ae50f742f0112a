"""A domain and its maker's server on a wire in memory."""

import random
from datetime import UTC, datetime

from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
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
from thingstead.protocols.oscore.context import SecurityContext
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


def asked(*, thing=THING, session=b"1", suite=SUITE, fetch=False):
    """A request, and the key that its voucher opens with."""
    ek_ct, key = voucher.begin(suite, VOUCHER.public, generate)
    return VoucherRequest(suite, ek_ct, digest(session), thing, fetch), key


class Wire:
    """Both ends, and every datagram handed over at once."""

    def __init__(self, *, sales=sold, record=None):
        self.record = record or Record()
        chance = random.Random(1)
        self.server = MasaServer(
            "aurora",
            SESSION,
            authority=Authority(VOUCHER, sales=sales, record=self.record),
            utc=lambda: AT,
            random_bytes=chance.randbytes,
        )
        self.client = Endpoint(EndpointConfig(), random_bytes=chance.randbytes)
        self.now = 0.0

    def ask(self, message, *, association=None):
        """Send a request, and return its response."""
        self.client.send_request(message, MASA, self.now, association=association)
        for _ in range(8):
            self.now += 0.01
            for data, _to in self.client.datagrams_to_send(self.now):
                self.server.receive_datagram(data, DOMAIN, self.now)
            self.server.run(self.now)
            for data, _to in self.server.datagrams_to_send(self.now):
                self.client.receive_datagram(data, MASA, self.now)
            while (event := self.client.next_event()) is not None:
                if isinstance(event, ResponseReceived):
                    return event.message
                if isinstance(event, ExchangeFailed):
                    raise event.error
        raise AssertionError("no response came")

    def edhoc(self, payload):
        return self.ask(
            request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)
        )

    def offer(self, key=KEY, own=BUYER):
        """As far as message_2, whose sender is the server or else nobody we talk to."""
        initiator = Initiator(
            method=join.METHOD,
            suites=join.SUITES,
            credential=own,
            key=key,
            connection_id=b"\x37",
            ephemeral=generate,
        )
        message_1, waiting = initiator.message_1()
        offered = waiting.receive(self.edhoc(coap_carriage.frame_message_1(message_1)).payload)
        server = join.domain_credential(offered.id_cred_r)
        assert server.public == SESSION.public
        message_3, last = offered.authenticate(server).message_3()
        return self.edhoc(coap_carriage.frame_message_3(offered.c_r, message_3)), last

    def meet(self):
        """The whole handshake; returns the association under which to ask."""
        answer, last = self.offer()
        oscore = last.receive(answer.payload).oscore()
        context = SecurityContext.derive(
            oscore.master_secret,
            master_salt=oscore.master_salt,
            sender_id=oscore.sender_id,
            recipient_id=oscore.recipient_id,
            aead_id=int(oscore.aead_id),
            digest_id=int(oscore.digest_id),
        )
        name = AssociationId("masa")
        self.client.install(Association(name, context, address=MASA))
        return name

    def voucher(self, payload, association):
        return self.ask(request(Code.POST, VOUCHER_REQUEST_PATH, payload=payload), association=association)
