"""The CoAP resources of a domain and of a thing, by who serves them."""

from __future__ import annotations

__all__ = [
    "ACE_GROUP",
    "ATTESTATION",
    "AUTHZ_INFO",
    "CREDENTIAL_STATUS",
    "CUSTODY",
    "EDHOC",
    "GRANT",
    "GROUP_KEYS",
    "INTROSPECT",
    "LEVEL",
    "LIGHT",
    "MAINTENANCE",
    "RD",
    "RD_LOOKUP_EP",
    "RD_LOOKUP_RES",
    "STANDING",
    "TELEMETRY",
    "TOKEN",
    "TRL",
    "UPDATE",
    "UPDATE_IMAGE",
    "UPDATE_REPORT",
    "WELL_KNOWN_CORE",
    "WELL_KNOWN_RD",
    "WIPE",
]

WELL_KNOWN_CORE = "/.well-known/core"
"""Both: link-format discovery (RFC 6690 §4)."""

EDHOC = "/.well-known/edhoc"
"""Domain: EDHOC over CoAP (RFC 9528 appendix A.2)."""

GRANT = "/grant"
"""Domain: GET of what a join granted, where no message_4 carried it (RFC 9668 §3)."""

TELEMETRY = "/senml"
"""Domain: POST of SenML-CBOR (RFC 8428)."""

UPDATE = "/update"
"""Domain: GET the SUIT envelope meant for the caller, 2.03 when its ETag is the caller's."""

UPDATE_IMAGE = "/update/image"
"""Domain: GET the image of that envelope, block-wise."""

UPDATE_REPORT = "/update/report"
"""Domain: POST a SUIT report."""

ACE_GROUP = "/ace-group"
"""Domain: the Key Distribution Center's root, ``/ace-group/NAME`` beneath it (RFC 9594 §4.1)."""

TOKEN = "/token"  # noqa: S105  a path
"""Domain: POST for a token that counts at another thing (RFC 9200 §5.8)."""

AUTHZ_INFO = "/authz-info"
"""Thing: POST of a token that counts there, in clear or, for other rights, under keys in use (RFC 9200 §5.10.1)."""

INTROSPECT = "/introspect"
"""Domain: POST to ask whether a token counts that the caller was shown (RFC 9200 §5.9)."""

TRL = "/revoke/trl"
"""Domain: GET, with Observe too, which tokens that pertain to the caller are revoked (RFC 9770 §6)."""

RD = "/rd"
"""Domain: POST of what a thing has; ``/rd/own`` beneath it is the caller's registration (RFC 9176 §5)."""

WELL_KNOWN_RD = "/.well-known/rd"
"""Domain: POST to be asked what one has (RFC 9176 §5.1)."""

RD_LOOKUP_EP = "/rd-lookup/ep"
"""Domain: GET which things are registered (RFC 9176 §6)."""

RD_LOOKUP_RES = "/rd-lookup/res"
"""Domain: GET what they have (RFC 9176 §6)."""

CREDENTIAL_STATUS = "/credential"
"""Domain: FETCH whether a credential still stands."""

GROUP_KEYS = "/group-keys"
"""Thing: PUT of new keying material for a group it is in."""

STANDING = "/standing"
"""Thing: FETCH whether it would still accept a member of its groups."""

LIGHT = "/light"
"""Thing: GET and PUT of a lamp's state, also by group message."""

LEVEL = "/light/level"
"""Thing: GET and PUT of how bright its lamp is when it is on, in per cent."""

MAINTENANCE = "/maintenance"
"""Thing: GET what the next order is to be signed for; ``/maintenance/TASK`` beneath it, POST of an order.

Domain: POST of a page of the journal that the thing keeps of orders.
"""

ATTESTATION = "/attestation"
"""Thing: POST of a nonce; it answers with signed evidence of what it runs (RFC 9711)."""

CUSTODY = "/custody"
"""Thing: GET its papers: identity, voucher, custody; PUT of a link by which its owner takes over updates."""

WIPE = "/wipe"
"""Thing: POST; it signs a receipt, forgets everything of the domain and answers with the receipt."""
