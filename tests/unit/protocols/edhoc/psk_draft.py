"""Test vectors of draft-ietf-lake-edhoc-psk-08, chapter "Test Vectors", as printed there."""

from thingstead.crypto.key import KeyType, SoftwareKey, private_key
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.secret import Secret


def _p256(scalar: str) -> SoftwareKey:
    return private_key(KeyType.P256, Secret(bytes.fromhex(scalar)))


X = _p256("09972DFEF1EAAB926EC96E8005FED29F70FFBF4E361C3A061A7ACDB5170C10E5")
Y = _p256("1E1C8F2DF1AA7110B39F33BA5EA8DCCF31411EB33D4F9A094CF65192D335A7A3")
C_I, C_R = b"\x0a", b"\x05"
PSK = Secret(bytes.fromhex("50930FF462A77A3540CF546325DEA214"))
CRED_I = bytes.fromhex("A20269696E69746961746F7208A101A30104024200102050") + bytes.fromhex(
    "50930FF462A77A3540CF546325DEA214"
)
CRED_R = bytes.fromhex("A20269726573706F6E64657208A101A30104024200102050") + bytes.fromhex(
    "50930FF462A77A3540CF546325DEA214"
)
SHARED = SharedCredential(bytes.fromhex("a104420010"), PSK, CRED_I, CRED_R)
MESSAGE_1 = bytes.fromhex("040258207EC68102940602AAB548539BF42A35992D957249EB7F1888406D178A04C912DB0A")
MESSAGE_2 = bytes.fromhex("5821ED156A6243E0AFEC9EFBAABCE8429D5AD5E4E1C432F76A6EDE8F79247BB97D83E9")
MESSAGE_3 = bytes.fromhex("4C13FC9A0321EBDAB962BFF035")
MESSAGE_4 = bytes.fromhex("4880F14EB9A90F74FF")
RESUMPTION_PSK = bytes.fromhex("427C2392EAC955F5D8562A1B3418E575")
RESUMPTION_KID = bytes.fromhex("88D8")
