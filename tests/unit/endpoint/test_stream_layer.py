import pytest

from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.connections import Connections
from thingstead.endpoint.stream_layer import StreamLayer
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.block import BERT, Pieces
from thingstead.protocols.coap.tcp_signal import Csm, encode_signal

PEER = ("192.0.2.1", 1)


def layer(*csm):
    connections = Connections(StreamConfig())
    connections.add(PEER, 0.0)
    for signal in csm:
        connections.receive(tcp.encode(encode_signal(signal)), PEER, 0.0)
    return StreamLayer(EndpointConfig(), bytes, connections=connections)


@pytest.mark.spec("RFC 8323 6")
@pytest.mark.parametrize(
    ("csm", "pieces"),
    [
        ([], Pieces(6)),
        ([Csm()], Pieces(6)),
        ([Csm(1152, block_wise=True)], Pieces(6)),
        ([Csm(65536)], Pieces(6)),
        ([Csm(1153, block_wise=True)], Pieces(BERT, 1)),
        ([Csm(16384, block_wise=True)], Pieces(BERT, 15)),
        ([Csm(8 << 20, block_wise=True)], Pieces(BERT, 31)),
    ],
)
def test_a_body_is_cut_by_what_the_peer_has_said_that_it_takes(csm, pieces):
    assert layer(*csm).pieces(PEER, is_protected=False) == pieces


def test_under_oscore_a_message_stays_within_what_its_key_counts_for():
    assert layer(Csm(65536, block_wise=True)).pieces(PEER, is_protected=True) == Pieces(BERT, 3)


def test_a_body_for_nobody_is_cut_as_for_anybody():
    assert layer(Csm(65536, block_wise=True)).pieces(("192.0.2.2", 1), is_protected=True) == Pieces(6)


@pytest.mark.spec("RFC 8323 3.3")
def test_nothing_is_a_duplicate():
    this = layer()
    for memory in (this.known, this.strangers):
        memory.duplicates.remember((PEER, b"x"), 0.0)
        memory.duplicates.store((PEER, b"x"), b"reply")
    assert not this.is_duplicate((PEER, b"x"))
    assert len(this.known.duplicates) == len(this.strangers.duplicates) == 0
