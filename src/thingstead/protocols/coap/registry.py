"""Every number of CoAP that IANA keeps, as far as we know it, each with its name and where it comes from.

One enumeration a registry, one row a number: what is on the wire, the registered name, what else the registry says, and
the clause or document that defines it. `docs/reference/numbers.md` is made of them.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Self

__all__ = [
    "CODES",
    "CONTENT_FORMATS",
    "OPTIONS",
    "SIGNAL_OPTIONS",
    "Code",
    "ContentFormat",
    "OptionFormat",
    "OptionNumber",
    "OscoreFlag",
    "ProblemKey",
    "Scheme",
    "SignalOption",
]


class _Registry(IntEnum):
    """A registry of numbers that have a name and nothing else.

    Attributes:
        title: IANA name.
        source: the clause or document that defines it; the number of a draft may change under us.
    """

    title: str
    source: str

    def __new__(cls, number: int, title: str, source: str) -> Self:
        """A row."""
        row = int.__new__(cls, number)
        row._value_ = number
        row.title, row.source = title, source
        return row


class Code(_Registry):
    """IANA "CoAP Codes": methods, responses and signals, c.dd in one octet (RFC 7252 §12.1)."""

    EMPTY = 0x00, "Empty", "RFC 7252 §4.1"
    GET = 0x01, "GET", "RFC 7252 §5.8.1"
    POST = 0x02, "POST", "RFC 7252 §5.8.2"
    PUT = 0x03, "PUT", "RFC 7252 §5.8.3"
    DELETE = 0x04, "DELETE", "RFC 7252 §5.8.4"
    FETCH = 0x05, "FETCH", "RFC 8132 §2"
    PATCH = 0x06, "PATCH", "RFC 8132 §3"
    IPATCH = 0x07, "iPATCH", "RFC 8132 §3"
    CREATED = 0x41, "Created", "RFC 7252 §5.9.1.1"
    DELETED = 0x42, "Deleted", "RFC 7252 §5.9.1.2"
    VALID = 0x43, "Valid", "RFC 7252 §5.9.1.3"
    CHANGED = 0x44, "Changed", "RFC 7252 §5.9.1.4"
    CONTENT = 0x45, "Content", "RFC 7252 §5.9.1.5"
    CONTINUE = 0x5F, "Continue", "RFC 7959 §2.9.1"
    BAD_REQUEST = 0x80, "Bad Request", "RFC 7252 §5.9.2.1"
    UNAUTHORIZED = 0x81, "Unauthorized", "RFC 7252 §5.9.2.2"
    BAD_OPTION = 0x82, "Bad Option", "RFC 7252 §5.9.2.3"
    FORBIDDEN = 0x83, "Forbidden", "RFC 7252 §5.9.2.4"
    NOT_FOUND = 0x84, "Not Found", "RFC 7252 §5.9.2.5"
    METHOD_NOT_ALLOWED = 0x85, "Method Not Allowed", "RFC 7252 §5.9.2.6"
    NOT_ACCEPTABLE = 0x86, "Not Acceptable", "RFC 7252 §5.9.2.7"
    REQUEST_ENTITY_INCOMPLETE = 0x88, "Request Entity Incomplete", "RFC 7959 §2.9.2"
    CONFLICT = 0x89, "Conflict", "RFC 8132 §3.4"
    PRECONDITION_FAILED = 0x8C, "Precondition Failed", "RFC 7252 §5.9.2.8"
    REQUEST_ENTITY_TOO_LARGE = 0x8D, "Request Entity Too Large", "RFC 7959 §2.9.3"
    UNSUPPORTED_CONTENT_FORMAT = 0x8F, "Unsupported Content-Format", "RFC 7252 §5.9.2.10"
    UNPROCESSABLE_ENTITY = 0x96, "Unprocessable Entity", "RFC 8132 §3.4"
    TOO_MANY_REQUESTS = 0x9D, "Too Many Requests", "RFC 8516 §3"
    INTERNAL_SERVER_ERROR = 0xA0, "Internal Server Error", "RFC 7252 §5.9.3.1"
    NOT_IMPLEMENTED = 0xA1, "Not Implemented", "RFC 7252 §5.9.3.2"
    BAD_GATEWAY = 0xA2, "Bad Gateway", "RFC 7252 §5.9.3.3"
    SERVICE_UNAVAILABLE = 0xA3, "Service Unavailable", "RFC 7252 §5.9.3.4"
    GATEWAY_TIMEOUT = 0xA4, "Gateway Timeout", "RFC 7252 §5.9.3.5"
    PROXYING_NOT_SUPPORTED = 0xA5, "Proxying Not Supported", "RFC 7252 §5.9.3.6"
    HOP_LIMIT_REACHED = 0xA8, "Hop Limit Reached", "RFC 8768 §4"
    CSM = 0xE1, "CSM", "RFC 8323 §5.3"
    PING = 0xE2, "Ping", "RFC 8323 §5.4"
    PONG = 0xE3, "Pong", "RFC 8323 §5.4"
    RELEASE = 0xE4, "Release", "RFC 8323 §5.5"
    ABORT = 0xE5, "Abort", "RFC 8323 §5.6"


class OptionFormat(IntEnum):
    """What an option holds (RFC 7252 §3.2)."""

    EMPTY = 0
    OPAQUE = 1
    UINT = 2
    STRING = 3


_EMPTY, _OPAQUE, _UINT, _STRING = OptionFormat
_ONCE, _OFTEN = False, True


class OptionNumber(IntEnum):
    """IANA "CoAP Option Numbers"; the low bits say critical, unsafe and no-cache-key (RFC 7252 §5.4.6, §12.2).

    Attributes:
        title: IANA name.
        format: of the value.
        min_size: shortest value, in bytes.
        max_size: longest value, in bytes.
        repeatable: may occur more than once.
        source: the clause that defines it.
    """

    title: str
    format: OptionFormat
    min_size: int
    max_size: int
    repeatable: bool
    source: str

    def __new__(
        cls, number: int, title: str, form: OptionFormat, min_size: int, max_size: int, repeatable: bool, source: str
    ) -> Self:
        """A row."""
        row = int.__new__(cls, number)
        row._value_ = number
        row.title, row.format, row.repeatable, row.source = title, form, repeatable, source
        row.min_size, row.max_size = min_size, max_size
        return row

    IF_MATCH = 1, "If-Match", _OPAQUE, 0, 8, _OFTEN, "RFC 7252 §5.10.8.1"
    URI_HOST = 3, "Uri-Host", _STRING, 1, 255, _ONCE, "RFC 7252 §5.10.1"
    ETAG = 4, "ETag", _OPAQUE, 1, 8, _OFTEN, "RFC 7252 §5.10.6"
    IF_NONE_MATCH = 5, "If-None-Match", _EMPTY, 0, 0, _ONCE, "RFC 7252 §5.10.8.2"
    OBSERVE = 6, "Observe", _UINT, 0, 3, _ONCE, "RFC 7641 §2"
    URI_PORT = 7, "Uri-Port", _UINT, 0, 2, _ONCE, "RFC 7252 §5.10.1"
    LOCATION_PATH = 8, "Location-Path", _STRING, 0, 255, _OFTEN, "RFC 7252 §5.10.7"
    OSCORE = 9, "OSCORE", _OPAQUE, 0, 255, _ONCE, "RFC 8613 §2"
    URI_PATH = 11, "Uri-Path", _STRING, 0, 255, _OFTEN, "RFC 7252 §5.10.1"
    CONTENT_FORMAT = 12, "Content-Format", _UINT, 0, 2, _ONCE, "RFC 7252 §5.10.3"
    MAX_AGE = 14, "Max-Age", _UINT, 0, 4, _ONCE, "RFC 7252 §5.10.5"
    URI_QUERY = 15, "Uri-Query", _STRING, 0, 255, _OFTEN, "RFC 7252 §5.10.1"
    # Of 1 byte; what is 0 in none, or over 255 in more, is to be refused and not passed over (RFC 8768 §3).
    HOP_LIMIT = 16, "Hop-Limit", _UINT, 0, 4, _ONCE, "RFC 8768 §3"
    ACCEPT = 17, "Accept", _UINT, 0, 2, _ONCE, "RFC 7252 §5.10.4"
    LOCATION_QUERY = 20, "Location-Query", _STRING, 0, 255, _OFTEN, "RFC 7252 §5.10.7"
    EDHOC = 21, "EDHOC", _EMPTY, 0, 0xFFFF, _ONCE, "RFC 9668 §3.1"
    BLOCK2 = 23, "Block2", _UINT, 0, 3, _ONCE, "RFC 7959 §2.1"
    BLOCK1 = 27, "Block1", _UINT, 0, 3, _ONCE, "RFC 7959 §2.1"
    SIZE2 = 28, "Size2", _UINT, 0, 4, _ONCE, "RFC 7959 §4"
    PROXY_URI = 35, "Proxy-Uri", _STRING, 1, 1034, _ONCE, "RFC 7252 §5.10.2"
    PROXY_SCHEME = 39, "Proxy-Scheme", _STRING, 1, 255, _ONCE, "RFC 7252 §5.10.2"
    SIZE1 = 60, "Size1", _UINT, 0, 4, _ONCE, "RFC 7252 §5.10.9"
    ECHO = 252, "Echo", _OPAQUE, 1, 40, _ONCE, "RFC 9175 §2.2.1"
    NO_RESPONSE = 258, "No-Response", _UINT, 0, 1, _ONCE, "RFC 7967 §2"
    REQUEST_TAG = 292, "Request-Tag", _OPAQUE, 0, 8, _OFTEN, "RFC 9175 §3.2.1"


class SignalOption(Enum):
    """IANA "CoAP Signaling Option Numbers": code and number, which means nothing under another code (RFC 8323 §11.2).

    Attributes:
        title: IANA name.
        max_size: longest value, in bytes.
        source: the clause that defines it.
    """

    title: str
    max_size: int
    source: str

    def __new__(cls, code: Code, number: int, title: str, max_size: int, source: str) -> Self:
        """A row."""
        row = object.__new__(cls)
        row._value_ = (code, number)
        row.title, row.max_size, row.source = title, max_size, source
        return row

    MAX_MESSAGE_SIZE = Code.CSM, 2, "Max-Message-Size", 4, "RFC 8323 §5.3.1"
    BLOCK_WISE_TRANSFER = Code.CSM, 4, "Block-Wise-Transfer", 0, "RFC 8323 §5.3.2"
    EXTENDED_TOKEN_LENGTH = Code.CSM, 6, "Extended-Token-Length", 3, "RFC 8974 §2.2.1"
    PING_CUSTODY = Code.PING, 2, "Custody", 0, "RFC 8323 §5.4.1"
    PONG_CUSTODY = Code.PONG, 2, "Custody", 0, "RFC 8323 §5.4.1"
    ALTERNATIVE_ADDRESS = Code.RELEASE, 2, "Alternative-Address", 255, "RFC 8323 §5.5"
    HOLD_OFF = Code.RELEASE, 4, "Hold-Off", 3, "RFC 8323 §5.5"
    BAD_CSM_OPTION = Code.ABORT, 2, "Bad-CSM-Option", 2, "RFC 8323 §5.6"


class ContentFormat(_Registry):
    """IANA "CoAP Content-Formats", as far as a thing or its tools may name them (RFC 7252 §12.3).

    A title is the media type with the parameters that are part of the registration.
    """

    TEXT_PLAIN = 0, "text/plain; charset=utf-8", "RFC 7252 §12.3"
    COSE_ENCRYPT0 = 16, 'application/cose; cose-type="cose-encrypt0"', "RFC 9052"
    COSE_MAC0 = 17, 'application/cose; cose-type="cose-mac0"', "RFC 9052"
    COSE_SIGN1 = 18, 'application/cose; cose-type="cose-sign1"', "RFC 9052"
    ACE_CBOR = 19, "application/ace+cbor", "RFC 9200"
    LINK_FORMAT = 40, "application/link-format", "RFC 6690"
    XML = 41, "application/xml", "RFC 7252 §12.3"
    OCTET_STREAM = 42, "application/octet-stream", "RFC 7252 §12.3"
    EXI = 47, "application/exi", "RFC 7252 §12.3"
    JSON = 50, "application/json", "RFC 7252 §12.3"
    CBOR = 60, "application/cbor", "RFC 8949"
    CWT = 61, "application/cwt", "RFC 8392"
    MULTIPART_CORE = 62, "application/multipart-core", "RFC 8710"
    CBOR_SEQ = 63, "application/cbor-seq", "RFC 8742"
    EDHOC_CBOR_SEQ = 64, "application/edhoc+cbor-seq", "RFC 9528"
    CID_EDHOC_CBOR_SEQ = 65, "application/cid-edhoc+cbor-seq", "RFC 9528"
    COSE_ENCRYPT = 96, 'application/cose; cose-type="cose-encrypt"', "RFC 9052"
    COSE_MAC = 97, 'application/cose; cose-type="cose-mac"', "RFC 9052"
    COSE_SIGN = 98, 'application/cose; cose-type="cose-sign"', "RFC 9052"
    COSE_KEY = 101, "application/cose-key", "RFC 9052"
    COSE_KEY_SET = 102, "application/cose-key-set", "RFC 9052"
    SENML_JSON = 110, "application/senml+json", "RFC 8428"
    SENSML_JSON = 111, "application/sensml+json", "RFC 8428"
    SENML_CBOR = 112, "application/senml+cbor", "RFC 8428"
    SENSML_CBOR = 113, "application/sensml+cbor", "RFC 8428"
    SENML_EXI = 114, "application/senml-exi", "RFC 8428"
    SENSML_EXI = 115, "application/sensml-exi", "RFC 8428"
    YANG_DATA_CBOR_SID = 140, "application/yang-data+cbor; id=sid", "RFC 9254"
    COAP_GROUP_JSON = 256, "application/coap-group+json", "RFC 7390"
    CONCISE_PROBLEM_DETAILS_CBOR = 257, "application/concise-problem-details+cbor", "RFC 9290"
    SWID_CBOR = 258, "application/swid+cbor", "RFC 9393"
    PKIXCMP = 259, "application/pkixcmp", "RFC 9482"
    YANG_SID_JSON = 260, "application/yang-sid+json", "RFC 9595"
    ACE_GROUPCOMM_CBOR = 261, "application/ace-groupcomm+cbor", "RFC 9594"
    ACE_TRL_CBOR = 262, "application/ace-trl+cbor", "RFC 9770"
    EAT_CWT = 263, "application/eat+cwt", "RFC 9782"
    EAT_JWT = 264, "application/eat+jwt", "RFC 9782"
    EAT_BUN_CBOR = 265, "application/eat-bun+cbor", "RFC 9782"
    EAT_BUN_JSON = 266, "application/eat-bun+json", "RFC 9782"
    EAT_UCS_CBOR = 267, "application/eat-ucs+cbor", "RFC 9782"
    EAT_UCS_JSON = 268, "application/eat-ucs+json", "RFC 9782"
    COAP_EAP = 269, "application/coap-eap", "RFC 9820"
    SUIT_REPORT_COSE = 270, "application/suit-report+cose", "draft-ietf-suit-report-22"
    DOTS_CBOR = 271, "application/dots+cbor", "RFC 9132"
    MISSING_BLOCKS_CBOR_SEQ = 272, "application/missing-blocks+cbor-seq", "RFC 9177"
    SCITT_STATEMENT_COSE = 277, "application/scitt-statement+cose", "RFC 9943"
    SCITT_RECEIPT_COSE = 278, "application/scitt-receipt+cose", "RFC 9943"
    PKCS7_SERVER_GENERATED_KEY = 280, "application/pkcs7-mime; smime-type=server-generated-key", "RFC 9148"
    PKCS7_CERTS_ONLY = 281, "application/pkcs7-mime; smime-type=certs-only", "RFC 9148"
    PKCS8 = 284, "application/pkcs8", "RFC 9148"
    CSRATTRS = 285, "application/csrattrs", "RFC 9148"
    PKCS10 = 286, "application/pkcs10", "RFC 9148"
    PKIX_CERT = 287, "application/pkix-cert", "RFC 9148"
    AIF_CBOR = 290, "application/aif+cbor", "RFC 9237"
    AIF_JSON = 291, "application/aif+json", "RFC 9237"
    SENML_XML = 310, "application/senml+xml", "RFC 8428"
    SENSML_XML = 311, "application/sensml+xml", "RFC 8428"
    SENML_ETCH_JSON = 320, "application/senml-etch+json", "RFC 8790"
    SENML_ETCH_CBOR = 322, "application/senml-etch+cbor", "RFC 8790"
    YANG_DATA_CBOR = 340, "application/yang-data+cbor", "RFC 9254"
    YANG_DATA_CBOR_NAME = 341, "application/yang-data+cbor; id=name", "RFC 9254"
    DNS_MESSAGE = 553, "application/dns-message", "RFC 9953"
    UCCS_CBOR = 601, "application/uccs+cbor", "RFC 9781"
    VOUCHER_COSE = 836, "application/voucher+cose", "draft-ietf-anima-constrained-voucher-31"
    OSCORE = 10001, "application/oscore", "RFC 8613"


class OscoreFlag(_Registry):
    """IANA "OSCORE Flag Bits", as masks of the first byte of an OSCORE option (RFC 8613 §13.7)."""

    GROUP = 0x20, "Group Flag", "RFC 10021 §4"
    KID_CONTEXT = 0x10, "Kid Context Flag", "RFC 8613 §6.1"
    KID = 0x08, "Kid Flag", "RFC 8613 §6.1"
    PARTIAL_IV_SIZE = 0x07, "Partial IV Length", "RFC 8613 §6.1"


class ProblemKey(_Registry):
    """IANA "Standard Problem Detail Keys"; a key that is not negative is custom (RFC 9290 §6.1)."""

    TITLE = -1, "title", "RFC 9290 §2"
    DETAIL = -2, "detail", "RFC 9290 §2"
    INSTANCE = -3, "instance", "RFC 9290 §2"
    RESPONSE_CODE = -4, "response-code", "RFC 9290 §2"
    BASE_URI = -5, "base-uri", "RFC 9290 §2"
    BASE_LANG = -6, "base-lang", "RFC 9290 §2"
    BASE_RTL = -7, "base-rtl", "RFC 9290 §2"
    UNPROCESSED_OPTIONS = -8, "unprocessed-coap-option", "RFC 9290 §3.1"


class Scheme(Enum):
    """URI schemes of CoAP and their ports (IANA "URI Schemes", "Service Name and Transport Protocol Port Number").

    Attributes:
        port: when the URI does not say.
        source: the clause that defines it.
    """

    port: int
    source: str

    def __new__(cls, scheme: str, port: int, source: str) -> Self:
        """A row."""
        row = object.__new__(cls)
        row._value_ = scheme
        row.port, row.source = port, source
        return row

    COAP = "coap", 5683, "RFC 7252 §6.1"
    COAPS = "coaps", 5684, "RFC 7252 §6.2"
    COAP_TCP = "coap+tcp", 5683, "RFC 8323 §8.1"
    COAPS_TCP = "coaps+tcp", 5684, "RFC 8323 §8.2"


CODES: dict[int, Code] = {int(row): row for row in Code}
OPTIONS: dict[int, OptionNumber] = {int(row): row for row in OptionNumber}
CONTENT_FORMATS: dict[int, ContentFormat] = {int(row): row for row in ContentFormat}
SIGNAL_OPTIONS: dict[tuple[int, int], SignalOption] = {row.value: row for row in SignalOption}
