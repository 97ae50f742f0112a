"""RFC 9529 chapter 3: method 3, suite 2, CCS by kid. The keys are published and protect nothing."""

from thingstead.crypto.key import KeyType, SoftwareKey, private_key
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.secret import Secret

X = bytes.fromhex("368ec1f69aeb659ba37d5a8d45b21bdc0299dceaa8ef235f3ca42ce3530f9525")
Y = bytes.fromhex("e2f4126777205e853b437d6eaca1e1f753cdcc3e2c69fa884b0a1a640977e418")
G_X = bytes.fromhex("8af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b6")
G_Y = bytes.fromhex("419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d5")
SK_R = bytes.fromhex("72cc4761dbd4c78f758931aa589d348d1ef874a7e303ede2f140dcf3e6aa4aac")
SK_I = bytes.fromhex("fb13adeb6518cee5f88417660841142e830a81fe334380a953406a1305e8706b")
CRED_R = bytes.fromhex(
    "a2026b6578616d706c652e65647508a101a501020241322001215820bbc34960526ea4d32e940cad2a234148ddc21791a12afbcbac9362"
    "2046dd44f02258204519e257236b2a0ce2023f0931f1f386ca7afda64fcde0108c224c51eabf6072"
)
CRED_I = bytes.fromhex(
    "a2027734322d35302d33312d46462d45462d33372d33322d333908a101a5010202412b2001215820ac75e9ece3e50bfc8ed60399889522"
    "405c47bf16df96660a41298cb4307f7eb62258206e5de611388a4b8a8211334ac7d37ecb52a387d257e6db3c2a93df21ff3affc8"
)
C_I, C_R = bytes.fromhex("37"), bytes.fromhex("27")

FIRST_MESSAGE_1 = bytes.fromhex("03065820741a13d7ba048fbb615e94386aa3b61bea5b3d8f65f32620b749bee8d278efa90e")
ERROR = bytes.fromhex("0202")
MESSAGE_1 = bytes.fromhex("0382060258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637")
MESSAGE_2 = bytes.fromhex("582b419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d59862a1eef9e0e7e1886fcd")
MESSAGE_3 = bytes.fromhex("52e562097bc417dd5919485ac7891ffd90a9fc")
MESSAGE_4 = bytes.fromhex("4828c966b7ca304f83")

H_MESSAGE_1 = bytes.fromhex("ca02cabda5a8902749b42f711050bb4dbd52153e87527594b39f50cdf019888c")
TH_2 = bytes.fromhex("356efd53771425e008f3fe3a86c83ff4c6b16e57028ff39d5236c182b202084b")
G_XY = bytes.fromhex("2f0cb7e860ba538fbf5c8bded009f6259b4b628fe1eb7dbe9378e5ecf7a824ba")
PRK_2E = bytes.fromhex("5aa0d69f3e3d1e0c479f0b8a486690c9802630c3466b1dc92371c982563170b5")
SALT_3E2M = bytes.fromhex("af4e103a47cb3cf32570d5c25ad27732bd8d8178e9a69d061c31a27f8e3ca926")
G_RX = bytes.fromhex("f2b6eea02220b95eee5a0bc701f074e00a843ea02422f60825fb269b3e161423")
PRK_3E2M = bytes.fromhex("0ca3d3398296b3c03900987620c11f6fce70781c1d1219720f9ec08c122d8434")
MAC_2 = bytes.fromhex("0943305c899f5c54")
PLAINTEXT_2 = bytes.fromhex("2732480943305c899f5c54")
TH_3 = bytes.fromhex("adaf67a78a4bcc91e018f8882762a722000b2507039df0bc1bbf0c161bb3155c")
SALT_4E3M = bytes.fromhex("cfddf9515a7e46e7b4dbff31cbd56cd04ba332250de9ea5de1caf9f6d13914a7")
G_IY = bytes.fromhex("080f425085bc6249089eac8f108ea62326857e12ab07d72028ca1b5f36e004b3")
PRK_4E3M = bytes.fromhex("81cc8a298e357044e3c466bb5c0a1e507e01d49238aeba138df94635407c0ff7")
MAC_3 = bytes.fromhex("623c91df41e34c2f")
PLAINTEXT_3 = bytes.fromhex("2b48623c91df41e34c2f")
TH_4 = bytes.fromhex("c902b1e3a4326c93c5551f5f3aa6c5ecc0246806765612e52b5d99e6059d6b6e")
PRK_OUT = bytes.fromhex("2c71afc1a9338a940bb3529ca734b886f30d1aba0b4dc51beeaeabdfea9ecbf8")
PRK_EXPORTER = bytes.fromhex("e14d06699cee248c5a04bf9227bbcd4ce394de7dcb56db43555474171e6446db")
MASTER_SECRET = bytes.fromhex("f9868f6a3aca78a05d1485b35030b162")
MASTER_SALT = bytes.fromhex("ada24c7dbfc85eeb")


def p256(scalar: bytes) -> SoftwareKey:
    return private_key(KeyType.P256, Secret(scalar))


CREDENTIAL_R = Credential(kid_reference(b"\x32"), CRED_R, p256(SK_R).public)
CREDENTIAL_I = Credential(kid_reference(b"\x2b"), CRED_I, p256(SK_I).public)
