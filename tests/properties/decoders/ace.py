"""What things and the Group Manager send each other."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.properties.decoder import Decoder
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import PolicyError
from thingstead.planes.groups import record
from thingstead.planes.groups.roster import decode_roster, encode_roster
from thingstead.protocols.ace import (
    groupcomm_join,
    groupcomm_rekey,
    input_material,
    revocation,
    sealed_token,
    token_endpoint,
)
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.ace.groupcomm import GroupKeys, Peer
from thingstead.protocols.ace.groupcomm_join import JoinRequest, JoinResponse, encode_challenge, scope_entry
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.ace.groupcomm_rekey import Rekeying
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.revocation import Change, Limits, UpdateCollection
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.ace.token_upload import TokenUpload, UploadAnswer
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile.standing import HolderQuestion, MemberStanding, StandingQuestion, decode_question
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_PUBLIC = private_key(KeyType.P256, Secret(bytes(31) + b"\x07")).public
_CREDENTIAL = ccs.encode(_PUBLIC, kid=b"kid")
_PEERS = (
    Peer(b"\x00", _CREDENTIAL, Role.REQUESTER, Scope({"/light": 4})),
    Peer(b"\x01", b"other", Role.RESPONDER, Scope({})),
)
_KEYS = GroupKeys("lamps", 3, b"gid", Secret(bytes(16)), bytes(8), b"\x01", _CREDENTIAL, 3600, _PEERS)
_REQUEST = JoinRequest("lamps", Role.RESPONDER, _CREDENTIAL, bytes(8), bytes(64), scope_entry("lamps", Role.RESPONDER))
_RECORD = record.create("lamps", random_bytes=bytes, at=_AT)
_HASH = b"\x01" + bytes(32)
_MATERIAL = InputMaterial(b"\x01", Secret(bytes(16)), b"salt", 1, -44, b"context")
_TOKEN_KEY = sealed_token.token_key(Secret(bytes(16)), master_salt=bytes(8), digest_id=-16)
_UPDATES = UpdateCollection(Limits())
_UPDATES.add(Change(added=(_HASH,)))

DECODERS = (
    Decoder("ace.groupcomm.GroupKeys.decode", GroupKeys.decode, (_KEYS.encode().hex(),)),
    Decoder(
        "ace.groupcomm_rekey.decode",
        groupcomm_rekey.decode,
        (_KEYS.encode().hex(), Rekeying(1, replace(_KEYS, num=7), (b"\x09",)).encode().hex()),
    ),
    Decoder("ace.groupcomm_join.JoinRequest.decode", JoinRequest.decode, (_REQUEST.encode().hex(),)),
    Decoder(
        "ace.groupcomm_join.JoinResponse.decode",
        JoinResponse.decode,
        (JoinResponse(_KEYS, bytes(8), bytes(64)).encode().hex(),),
    ),
    Decoder(
        "ace.groupcomm_join.decode_challenge",
        groupcomm_join.decode_challenge,
        (encode_challenge("lamps", bytes(8)).hex(),),
    ),
    Decoder(
        "profile.standing.MemberStanding.decode",
        MemberStanding.decode,
        (MemberStanding(True, 3, _AT).encode().hex(), MemberStanding(False, 0, None).encode().hex()),
    ),
    Decoder(
        "profile.standing.HolderQuestion.decode",
        HolderQuestion.decode,
        (HolderQuestion((_HASH,)).encode().hex(),),
    ),
    Decoder(
        "profile.standing.decode_question",
        decode_question,
        (HolderQuestion((_HASH,)).encode().hex(), StandingQuestion("lamps", bytes(32)).encode().hex()),
    ),
    Decoder(
        "profile.standing.StandingQuestion.decode",
        StandingQuestion.decode,
        (StandingQuestion("lamps", bytes(32)).encode().hex(),),
    ),
    Decoder(
        "ace.revocation.decode_full_set",
        revocation.decode_full_set,
        (revocation.encode_full_set([_HASH], 3).hex(),),
    ),
    Decoder(
        "ace.revocation.UpdateCollection.decode",
        lambda data: UpdateCollection.decode(data, Limits()),
        (_UPDATES.encode().hex(),),
    ),
    Decoder(
        "ace.token_endpoint.TokenRequest.decode",
        TokenRequest.decode,
        (TokenRequest("thing-aaaaaaaaaaaaaaaa", Scope({"/light": 4}), _PUBLIC, b"nonce").encode().hex(),),
    ),
    Decoder(
        "ace.token_endpoint.TokenResponse.decode",
        TokenResponse.decode,
        (TokenResponse(b"token", 3600, Scope({"/light": 4}), _CREDENTIAL).encode().hex(),),
    ),
    Decoder(
        "ace.token_endpoint.decode_refusal",
        token_endpoint.decode_refusal,
        (token_endpoint.refusal(PolicyError("no"))[1].hex(),),
    ),
    Decoder(
        "ace.token_upload.TokenUpload.decode",
        TokenUpload.decode,
        (TokenUpload(b"token", bytes(8), b"id").encode().hex(),),
    ),
    Decoder(
        "ace.token_upload.UploadAnswer.decode",
        lambda data: UploadAnswer.decode(data, own_id=b"id"),
        (UploadAnswer(bytes(8), b"other").encode().hex(),),
    ),
    Decoder(
        "ace.creation_hints.CreationHints.decode",
        CreationHints.decode,
        (CreationHints("coap://as/token", "light", b"kid", bytes(12)).encode().hex(),),
    ),
    Decoder(
        "ace.input_material.decode_map",
        lambda data: input_material.decode_map(codec.decode(data)),
        (codec.encode(_MATERIAL.as_map()).hex(),),
    ),
    Decoder(
        "ace.sealed_token.unseal",
        lambda data: sealed_token.unseal(data, _TOKEN_KEY),
        (sealed_token.seal(b"signed", _TOKEN_KEY, nonce=bytes(13)).hex(),),
    ),
    Decoder("groups.record.decode", record.decode, (_RECORD.encode().hex(),)),
    Decoder("groups.roster.decode_roster", decode_roster, (encode_roster(_RECORD).hex(),)),
)
