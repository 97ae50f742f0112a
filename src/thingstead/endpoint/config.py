"""What an endpoint may hold and how long it waits: every number that a peer could otherwise choose."""

from __future__ import annotations

from dataclasses import dataclass, field

from thingstead.protocols.coap import block, message
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.protocols.coap.tcp_connection import ConnectionConfig

__all__ = ["EndpointConfig", "Retention", "StreamConfig"]


@dataclass(frozen=True, slots=True)
class Retention:
    """What is remembered for one kind of peer; strangers and associations never share a bound.

    Attributes:
        max_duplicates: requests remembered for de-duplication.
        max_duplicate_bytes: bytes of those requests and their replies.
        uploads: bodies coming in by Block1.
        representations: bodies going out by Block2.
        max_exchanges: requests waiting for their response.
        max_observers: observations.
        max_observers_per_peer: observations of one peer.
    """

    max_duplicates: int = 65536
    max_duplicate_bytes: int = 32 << 20
    uploads: block.Limits = field(default_factory=block.Limits)
    representations: block.Limits = field(default_factory=block.Limits)
    max_exchanges: int = 4096
    max_observers: int = 4096
    max_observers_per_peer: int = 16


_STRANGERS = Retention(
    max_duplicates=4096,
    max_duplicate_bytes=4 << 20,
    uploads=block.Limits(max_body=16 << 10, max_bodies=32, max_bodies_per_peer=1, max_total=256 << 10, max_age=30.0),
    representations=block.Limits(max_bodies=32, max_bodies_per_peer=1, max_total=1 << 20, max_age=60.0),
    max_exchanges=256,
    max_observers=64,
    max_observers_per_peer=1,
)

_FRAGMENTS = block.Limits(max_body=16 << 10, max_bodies=32, max_bodies_per_peer=4, max_total=256 << 10, max_age=30.0)


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """One endpoint.

    Attributes:
        transmission: times and counts of the message layer (RFC 7252 §4.8).
        message: bounds on one datagram.
        known: what is remembered for peers behind a security association.
        strangers: what is remembered for everybody else together.
        fragments: OSCORE messages that come, or are fetched, in outer blocks (RFC 8613 §4.1.3.4.2).
        block_szx: size exponent of our blocks: 16 << szx bytes, 6 is 1024.
        max_download: bytes of one response body that we fetch.
        max_requests: requests of ours that wait for a response.
        max_queued: confirmable messages that may wait for NSTART, over all peers; as many responses to multicast
            requests may wait for their moment.
        max_unacknowledged: of those, responses to one peer, which need not acknowledge any.
        max_parked: messages of one association that may wait for sequence numbers.
        max_awake: associations that keep their ciphers between messages, at most twice that; a cipher is built in a
            microsecond and holds half a kilobyte.
        max_peers: peers whose message IDs we count, before the oldest begins anew.
        ack_delay: seconds an application may take before its confirmable request gets an empty ACK.
        response_timeout: seconds until we give a request of ours up.
        max_reregistrations: times in a row that an observation of ours is registered again without an answer before
            we give it up; 8 take an hour and more, because each waits twice as long (RFC 7641 §3.3.1).
        group_timeout: seconds that responses to a multicast request are collected.
        max_group_responses: servers that may answer one multicast request in clear.
        leisure: seconds over which our response to a multicast request is spread (RFC 7252 §8.2).
        echo_lifetime: seconds that an Echo value of ours proves freshness, and that its return proves a stranger's
            address (RFC 9175 §2.3, §2.4).
        max_reached: strangers whose address is so proven.
        confirm_after: seconds after which a notification is confirmable again, at most 24 h (RFC 7641 §4.5).
        notification_pace: seconds between notifications to one observer; one that comes sooner is confirmable, and the
            next waits for its acknowledgement (RFC 7641 §4.5.1).
        refusals_per_second: unprotected error responses, to all strangers together.
        sequence_stride: sender sequence numbers asked for at a time (RFC 8613 appendix B.1.1).
        lazy_contexts: ask for contexts that are not installed by `ContextNeeded` events.
        contexts_per_second: such events, at most; and as many exchanges for new keys (RFC 8613 appendix B.2), for
            strangers and again for peers at their address.
        max_held: requests held until an answer to such an event.
        insecure_state_for_strangers: keep unfinished bodies and observations also of sources that have not shown that
            they receive what is sent to them; for peers that do not know Echo (RFC 9175).
        relays: this is a proxy's endpoint: what OSCORE protects is not for it and passes as it is, as do options that
            are safe to forward (RFC 7252 §5.4.2); proxying options and Hop-Limit are the application's.
        edhoc_path: the resource that message_3 of a combined request is for (RFC 9668 §3.3); empty takes none.
        max_counted_sources: sources whose refused messages are counted one by one.
    """

    transmission: TransmissionParameters = field(default_factory=TransmissionParameters)
    message: message.Limits = field(default_factory=message.Limits)
    known: Retention = field(default_factory=Retention)
    strangers: Retention = _STRANGERS
    fragments: block.Limits = _FRAGMENTS
    block_szx: int = 6
    max_download: int = 4 << 20
    max_requests: int = 4096
    max_queued: int = 4096
    max_unacknowledged: int = 64
    max_parked: int = 16
    max_awake: int = 128
    max_peers: int = 8192
    ack_delay: float = 0.5
    response_timeout: float = 120.0
    max_reregistrations: int = 8
    group_timeout: float = 10.0
    max_group_responses: int = 1024
    leisure: float = 5.0
    echo_lifetime: float = 60.0
    max_reached: int = 1024
    confirm_after: float = 3600.0
    notification_pace: float = 3.0
    refusals_per_second: float = 100.0
    sequence_stride: int = 256
    lazy_contexts: bool = False
    contexts_per_second: float = 50.0
    max_held: int = 64
    insecure_state_for_strangers: bool = False
    relays: bool = False
    edhoc_path: str = ""
    max_counted_sources: int = 1024


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What an endpoint over connections adds (RFC 8323).

    Attributes:
        connection: bounds and times of one connection.
        max_connections: connections at one time; a new one takes the place of a stranger's that is silent longest.
        max_connections_per_host: connections of one address at one time.
    """

    connection: ConnectionConfig = field(default_factory=ConnectionConfig)
    max_connections: int = 1024
    max_connections_per_host: int = 16
