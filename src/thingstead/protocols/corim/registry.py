"""Every number of CoRIM and CoMID, in one place: drafts move (draft-ietf-rats-corim-10)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["DRAFT", "MEDIA_TYPE", "TagNumber", "Triple", "Value"]

DRAFT = "draft-ietf-rats-corim-10"
"""The version that all of this package speaks."""

MEDIA_TYPE = "application/rim+cbor"
"""Content type in the protected header of a signed CoRIM (§4.2.1)."""


class TagNumber(IntEnum):
    """CBOR tags; 1 and 32 are those of RFC 8949 §3.4, 37 that of RFC 9562, 111 that of RFC 9090."""

    TIME = 1
    URI = 32
    UUID = 37
    OID = 111
    CORIM = 501
    COSWID = 505
    COMID = 506
    COTL = 508
    UEID = 550
    SVN = 552
    MIN_SVN = 553
    PKIX_KEY = 554
    PKIX_CERT = 555
    PKIX_CERT_PATH = 556
    KEY_THUMBPRINT = 557
    COSE_KEY = 558
    CERT_THUMBPRINT = 559
    BYTES = 560
    CERT_PATH_THUMBPRINT = 561
    DER_CERT = 562
    MASKED_RAW_VALUE = 563
    INT_RANGE = 564


class Triple(IntEnum):
    """Kinds of statements in a CoMID (§5.1.4)."""

    REFERENCE = 0
    ENDORSED = 1
    IDENTITY = 2
    ATTEST_KEY = 3
    TRUST_DEPENDENCY = 4
    MEMBERSHIP = 5
    COSWID = 6
    CONDITIONAL_SERIES = 8
    CONDITIONAL = 10


class Value(IntEnum):
    """Codepoints of a measurement's values (§5.1.4.5.2)."""

    VERSION = 0
    SVN = 1
    DIGESTS = 2
    FLAGS = 3
    RAW_VALUE = 4
    RAW_VALUE_MASK = 5
    MAC_ADDRESS = 6
    IP_ADDRESS = 7
    SERIAL_NUMBER = 8
    UEID = 9
    UUID = 10
    NAME = 11
    CRYPTO_KEYS = 13
    INTEGRITY_REGISTERS = 14
    INT_RANGE = 15
