"""What devices and servers say on the wire about names and about themselves."""

from datetime import UTC, datetime

from tests.properties.decoder import Decoder
from tests.unit.protocols.dhcp.messages import DUID_LL, URL, option4, option6, relayed6
from tests.unit.protocols.dhcp.messages import v4 as v4_of
from tests.unit.protocols.dhcp.messages import v6 as v6_of
from tests.unit.protocols.lldp.test_frame import END, HEAD, IANA, tlv
from tests.unit.protocols.mud.test_announcement import over_ipv4, over_lldp
from thingstead.domain import mud_claim
from thingstead.domain.mud_claim import Claims, ClaimSource
from thingstead.protocols.dhcp import v4, v6
from thingstead.protocols.dns import message
from thingstead.protocols.lldp import frame
from thingstead.protocols.mud import announcement, url
from thingstead.protocols.packet.packet import decode_frame

_QUERY = message.encode_query(message.Question("cloud.example.com", message.RecordType.A), id=7)
_FOUR, _SIX = v4_of(option4(161, URL)), relayed6(v6_of(option6(1, DUID_LL), option6(112, URL)))
_LEASE = v4_of(option4(53, b"\5"), operation=2, given=bytes([192, 168, 1, 30]))
_UNIT = HEAD + tlv(127, IANA + b"\1" + URL) + END


def _announced(data: bytes) -> object:
    return announcement.announced(decode_frame(data, at=0.0))


_SAID = Claims().said(ClaimSource.OWNER, URL.decode(), at=datetime(2026, 11, 23, tzinfo=UTC))

DECODERS = (
    Decoder("domain.mud_claim.decode", mud_claim.decode, (_SAID.encode().hex(),)),
    Decoder("dns.message.decode", message.decode, (_QUERY.hex(),)),
    Decoder("dhcp.v4.decode", v4.decode, (_FOUR.hex(),)),
    Decoder("dhcp.v4.decode_lease", v4.decode_lease, (_LEASE.hex(),)),
    Decoder("dhcp.v6.decode", v6.decode, (_SIX.hex(),)),
    Decoder("lldp.frame.decode", frame.decode, (_UNIT.hex(),)),
    Decoder("mud.announcement.announced", _announced, (over_ipv4(_FOUR).hex(), over_lldp(URL).hex())),
    Decoder("mud.url.decode_string", url.decode_string, (URL.hex(),)),
)
