"""The Content-Format registry: numbers, media types and where each comes from (RFC 7252 §12.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["CONTENT_FORMATS", "ContentFormat", "ContentFormatDefinition", "Status", "media_type"]


class ContentFormat(IntEnum):
    """IANA "CoAP Content-Formats", as far as a thing or its tools may name them."""

    TEXT_PLAIN = 0
    COSE_ENCRYPT0 = 16
    COSE_MAC0 = 17
    COSE_SIGN1 = 18
    ACE_CBOR = 19
    LINK_FORMAT = 40
    XML = 41
    OCTET_STREAM = 42
    EXI = 47
    JSON = 50
    CBOR = 60
    CWT = 61
    MULTIPART_CORE = 62
    CBOR_SEQ = 63
    EDHOC_CBOR_SEQ = 64
    CID_EDHOC_CBOR_SEQ = 65
    COSE_ENCRYPT = 96
    COSE_MAC = 97
    COSE_SIGN = 98
    COSE_KEY = 101
    COSE_KEY_SET = 102
    SENML_JSON = 110
    SENSML_JSON = 111
    SENML_CBOR = 112
    SENSML_CBOR = 113
    SENML_EXI = 114
    SENSML_EXI = 115
    YANG_DATA_CBOR_SID = 140
    COAP_GROUP_JSON = 256
    CONCISE_PROBLEM_DETAILS_CBOR = 257
    SWID_CBOR = 258
    PKIXCMP = 259
    YANG_SID_JSON = 260
    ACE_GROUPCOMM_CBOR = 261
    ACE_TRL_CBOR = 262
    EAT_CWT = 263
    EAT_JWT = 264
    EAT_BUN_CBOR = 265
    EAT_BUN_JSON = 266
    EAT_UCS_CBOR = 267
    EAT_UCS_JSON = 268
    COAP_EAP = 269
    SUIT_REPORT_COSE = 270
    DOTS_CBOR = 271
    MISSING_BLOCKS_CBOR_SEQ = 272
    SCITT_STATEMENT_COSE = 277
    SCITT_RECEIPT_COSE = 278
    PKCS7_SERVER_GENERATED_KEY = 280
    PKCS7_CERTS_ONLY = 281
    PKCS8 = 284
    CSRATTRS = 285
    PKCS10 = 286
    PKIX_CERT = 287
    AIF_CBOR = 290
    AIF_JSON = 291
    SENML_XML = 310
    SENSML_XML = 311
    SENML_ETCH_JSON = 320
    SENML_ETCH_CBOR = 322
    YANG_DATA_CBOR = 340
    YANG_DATA_CBOR_NAME = 341
    DNS_MESSAGE = 553
    UCCS_CBOR = 601
    VOUCHER_COSE = 836
    OSCORE = 10001


class Status(IntEnum):
    """How firmly a number stands."""

    ASSIGNED = 1
    TEMPORARY = 2
    DRAFT = 3


@dataclass(frozen=True, slots=True)
class ContentFormatDefinition:
    """One row of the registry.

    Attributes:
        number: what travels in Content-Format and Accept.
        media_type: with the parameters that are part of the registration.
        status: temporary and draft numbers may change under us.
        source: the document that defines it.
    """

    number: ContentFormat
    media_type: str
    status: Status
    source: str


_F = ContentFormat
_FIRM, _TEMPORARY, _DRAFT = Status.ASSIGNED, Status.TEMPORARY, Status.DRAFT

CONTENT_FORMATS: dict[int, ContentFormatDefinition] = {
    row.number: row
    for row in (
        ContentFormatDefinition(_F.TEXT_PLAIN, "text/plain; charset=utf-8", _FIRM, "RFC 7252 §12.3"),
        ContentFormatDefinition(_F.COSE_ENCRYPT0, 'application/cose; cose-type="cose-encrypt0"', _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.COSE_MAC0, 'application/cose; cose-type="cose-mac0"', _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.COSE_SIGN1, 'application/cose; cose-type="cose-sign1"', _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.ACE_CBOR, "application/ace+cbor", _FIRM, "RFC 9200"),
        ContentFormatDefinition(_F.LINK_FORMAT, "application/link-format", _FIRM, "RFC 6690"),
        ContentFormatDefinition(_F.XML, "application/xml", _FIRM, "RFC 7252 §12.3"),
        ContentFormatDefinition(_F.OCTET_STREAM, "application/octet-stream", _FIRM, "RFC 7252 §12.3"),
        ContentFormatDefinition(_F.EXI, "application/exi", _FIRM, "RFC 7252 §12.3"),
        ContentFormatDefinition(_F.JSON, "application/json", _FIRM, "RFC 7252 §12.3"),
        ContentFormatDefinition(_F.CBOR, "application/cbor", _FIRM, "RFC 8949"),
        ContentFormatDefinition(_F.CWT, "application/cwt", _FIRM, "RFC 8392"),
        ContentFormatDefinition(_F.MULTIPART_CORE, "application/multipart-core", _FIRM, "RFC 8710"),
        ContentFormatDefinition(_F.CBOR_SEQ, "application/cbor-seq", _FIRM, "RFC 8742"),
        ContentFormatDefinition(_F.EDHOC_CBOR_SEQ, "application/edhoc+cbor-seq", _FIRM, "RFC 9528"),
        ContentFormatDefinition(_F.CID_EDHOC_CBOR_SEQ, "application/cid-edhoc+cbor-seq", _FIRM, "RFC 9528"),
        ContentFormatDefinition(_F.COSE_ENCRYPT, 'application/cose; cose-type="cose-encrypt"', _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.COSE_MAC, 'application/cose; cose-type="cose-mac"', _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.COSE_SIGN, 'application/cose; cose-type="cose-sign"', _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.COSE_KEY, "application/cose-key", _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.COSE_KEY_SET, "application/cose-key-set", _FIRM, "RFC 9052"),
        ContentFormatDefinition(_F.SENML_JSON, "application/senml+json", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENSML_JSON, "application/sensml+json", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENML_CBOR, "application/senml+cbor", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENSML_CBOR, "application/sensml+cbor", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENML_EXI, "application/senml-exi", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENSML_EXI, "application/sensml-exi", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.YANG_DATA_CBOR_SID, "application/yang-data+cbor; id=sid", _FIRM, "RFC 9254"),
        ContentFormatDefinition(_F.COAP_GROUP_JSON, "application/coap-group+json", _FIRM, "RFC 7390"),
        ContentFormatDefinition(
            _F.CONCISE_PROBLEM_DETAILS_CBOR, "application/concise-problem-details+cbor", _FIRM, "RFC 9290"
        ),
        ContentFormatDefinition(_F.SWID_CBOR, "application/swid+cbor", _FIRM, "RFC 9393"),
        ContentFormatDefinition(_F.PKIXCMP, "application/pkixcmp", _FIRM, "RFC 9482"),
        ContentFormatDefinition(_F.YANG_SID_JSON, "application/yang-sid+json", _FIRM, "RFC 9595"),
        ContentFormatDefinition(_F.ACE_GROUPCOMM_CBOR, "application/ace-groupcomm+cbor", _FIRM, "RFC 9594"),
        ContentFormatDefinition(_F.ACE_TRL_CBOR, "application/ace-trl+cbor", _FIRM, "RFC 9770"),
        ContentFormatDefinition(_F.EAT_CWT, "application/eat+cwt", _FIRM, "RFC 9782"),
        ContentFormatDefinition(_F.EAT_JWT, "application/eat+jwt", _FIRM, "RFC 9782"),
        ContentFormatDefinition(_F.EAT_BUN_CBOR, "application/eat-bun+cbor", _FIRM, "RFC 9782"),
        ContentFormatDefinition(_F.EAT_BUN_JSON, "application/eat-bun+json", _FIRM, "RFC 9782"),
        ContentFormatDefinition(_F.EAT_UCS_CBOR, "application/eat-ucs+cbor", _FIRM, "RFC 9782"),
        ContentFormatDefinition(_F.EAT_UCS_JSON, "application/eat-ucs+json", _FIRM, "RFC 9782"),
        ContentFormatDefinition(_F.COAP_EAP, "application/coap-eap", _FIRM, "RFC 9820"),
        ContentFormatDefinition(
            _F.SUIT_REPORT_COSE, "application/suit-report+cose", _DRAFT, "draft-ietf-suit-report-22"
        ),
        ContentFormatDefinition(_F.DOTS_CBOR, "application/dots+cbor", _FIRM, "RFC 9132"),
        ContentFormatDefinition(_F.MISSING_BLOCKS_CBOR_SEQ, "application/missing-blocks+cbor-seq", _FIRM, "RFC 9177"),
        ContentFormatDefinition(_F.SCITT_STATEMENT_COSE, "application/scitt-statement+cose", _FIRM, "RFC 9943"),
        ContentFormatDefinition(_F.SCITT_RECEIPT_COSE, "application/scitt-receipt+cose", _FIRM, "RFC 9943"),
        ContentFormatDefinition(
            _F.PKCS7_SERVER_GENERATED_KEY, "application/pkcs7-mime; smime-type=server-generated-key", _FIRM, "RFC 9148"
        ),
        ContentFormatDefinition(
            _F.PKCS7_CERTS_ONLY, "application/pkcs7-mime; smime-type=certs-only", _FIRM, "RFC 9148"
        ),
        ContentFormatDefinition(_F.PKCS8, "application/pkcs8", _FIRM, "RFC 9148"),
        ContentFormatDefinition(_F.CSRATTRS, "application/csrattrs", _FIRM, "RFC 9148"),
        ContentFormatDefinition(_F.PKCS10, "application/pkcs10", _FIRM, "RFC 9148"),
        ContentFormatDefinition(_F.PKIX_CERT, "application/pkix-cert", _FIRM, "RFC 9148"),
        ContentFormatDefinition(_F.AIF_CBOR, "application/aif+cbor", _FIRM, "RFC 9237"),
        ContentFormatDefinition(_F.AIF_JSON, "application/aif+json", _FIRM, "RFC 9237"),
        ContentFormatDefinition(_F.SENML_XML, "application/senml+xml", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENSML_XML, "application/sensml+xml", _FIRM, "RFC 8428"),
        ContentFormatDefinition(_F.SENML_ETCH_JSON, "application/senml-etch+json", _FIRM, "RFC 8790"),
        ContentFormatDefinition(_F.SENML_ETCH_CBOR, "application/senml-etch+cbor", _FIRM, "RFC 8790"),
        ContentFormatDefinition(_F.YANG_DATA_CBOR, "application/yang-data+cbor", _FIRM, "RFC 9254"),
        ContentFormatDefinition(_F.YANG_DATA_CBOR_NAME, "application/yang-data+cbor; id=name", _FIRM, "RFC 9254"),
        ContentFormatDefinition(_F.DNS_MESSAGE, "application/dns-message", _FIRM, "RFC 9953"),
        ContentFormatDefinition(_F.UCCS_CBOR, "application/uccs+cbor", _FIRM, "RFC 9781"),
        ContentFormatDefinition(
            _F.VOUCHER_COSE, "application/voucher+cose", _TEMPORARY, "draft-ietf-anima-constrained-voucher-31"
        ),
        ContentFormatDefinition(_F.OSCORE, "application/oscore", _FIRM, "RFC 8613"),
    )
}


def media_type(number: int) -> str:
    """The registered media type, or ``content-format/N`` for a number that we do not carry."""
    row = CONTENT_FORMATS.get(number)
    return row.media_type if row is not None else f"content-format/{number}"
