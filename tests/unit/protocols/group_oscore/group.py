"""A group of three for the tests: a lamp switch and two lamps, each with its own context."""

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.context import Credential, GroupContext, OwnIdentity
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.option import decode_option, encode_option
from thingstead.secret import Secret

ON = Message(Code.PUT, token=b"t", options=[(OptionNumber.URI_PATH, b"light")], payload=b"on")
DONE = Message(Code.CHANGED, token=b"t")
OSCORE = OptionNumber.OSCORE
GM_CREDENTIAL = b"the group manager's credential"
EDWARDS = GroupAlgorithms(signature_id=AlgorithmId.ED25519)
KEY_TYPES = {
    AlgorithmId.ED25519: KeyType.ED25519,
    AlgorithmId.EDDSA: KeyType.ED25519,
    AlgorithmId.ESP256: KeyType.P256,
    AlgorithmId.ES256: KeyType.P256,
    None: KeyType.P256,
}


def identity(name, algorithms=EDWARDS):
    """Key and credential of the member `name`: always the same ones."""
    scalar = name.encode().rjust(32, b"\x01")
    key = private_key(KEY_TYPES[algorithms.signature_id], Secret(scalar))
    # A non-deterministic encoding on purpose: whoever encodes it again breaks the group.
    return key, Credential(b"\xa1\x18\x02" + codec.encode(name) + key.public.raw, key.public)


def context(
    name, members=("switch", "hall", "stairs"), *, gid=b"g1", secret=bytes(16), algorithms=EDWARDS, windows=None
):
    """The context of `name`, who knows all `members`; a kid is the first two letters."""
    key, credential = identity(name, algorithms)
    made = GroupContext(
        gid,
        master_secret=Secret(secret),
        master_salt=b"salt",
        gm_credential=GM_CREDENTIAL,
        algorithms=algorithms,
        own=OwnIdentity(name[:2].encode(), credential, key, SequenceNumbers()),
    )
    for other in members:
        if other != name:
            window = (windows or {}).get(other)
            made.add_member(other[:2].encode(), identity(other, algorithms)[1], window=window)
    return made


def group(**options):
    """Switch and two lamps."""
    return [context(name, **options) for name in ("switch", "hall", "stairs")]


def option_of(message):
    return decode_option(message.option(OSCORE) or b"")


def with_option(message, option):
    return message.with_options((OSCORE, encode_option(option)), without=frozenset([OSCORE]))
