"""What devices and servers say on the wire about names and about themselves."""

from tests.properties.decoder import Decoder
from tests.unit.protocols.dhcp.messages import DUID_LL, URL, option4, option6, relayed6
from tests.unit.protocols.dhcp.messages import v4 as v4_of
from tests.unit.protocols.dhcp.messages import v6 as v6_of
from tests.unit.protocols.lldp.test_frame import END, HEAD, IANA, tlv
from tests.unit.protocols.mud.test_announcement import over_ipv4, over_lldp
from thingstead.protocols.dhcp import v4, v6
from thingstead.protocols.dns import message
from thingstead.protocols.lldp import frame
from thingstead.protocols.mud import announcement, url

_QUERY = message.encode_query(message.Question("cloud.example.com", message.RecordType.A), id=7)
_FOUR, _SIX = v4_of(option4(161, URL)), relayed6(v6_of(option6(1, DUID_LL), option6(112, URL)))
_UNIT = HEAD + tlv(127, IANA + b"\1" + URL) + END

DECODERS = (
    Decoder("dns.message.decode", message.decode, (_QUERY.hex(),)),
    Decoder("dhcp.v4.decode", v4.decode, (_FOUR.hex(),)),
    Decoder("dhcp.v6.decode", v6.decode, (_SIX.hex(),)),
    Decoder("lldp.frame.decode", frame.decode, (_UNIT.hex(),)),
    Decoder("mud.announcement.decode", announcement.decode, (over_ipv4(_FOUR).hex(), over_lldp(URL).hex())),
    Decoder("mud.url.decode_string", url.decode_string, (URL.hex(),)),
)
