"""CWTs and what ACE says: under the signature of an issuer that has turned hostile, and from clients and servers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

from tests.fuzz.target import Cursor, Target, attempt, ensure
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, private_key
from thingstead.errors import PolicyError
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.ace import revocation, token_endpoint
from thingstead.protocols.ace import token as access_token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.revocation import Change, Limits, UpdateCollection
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cose import sign1
from thingstead.protocols.cwt import ccs, credential
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.profile import delegation
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_LATER = _AT + timedelta(days=1)
_ISSUER = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_HOLDER = private_key(KeyType.P256, Secret(bytes(31) + b"\x09")).public
_OTHER = generate(KeyType.P256).public
_ES256, _ESP256 = AlgorithmId.ES256, AlgorithmId.ESP256
_ACCEPT = frozenset({int(_ES256)})
_THING = thing_id_from_random(bytes(10))
_SCOPE = Scope({"/light": 4})
_ACCESS = access_token.issue(
    _HOLDER, _ISSUER, issuer="as", subject=_THING, audience="rs", scope=_SCOPE, at=_AT, expires=_LATER, cti=b"1",
    signature_id=_ES256,
)  # fmt: skip
_MAKER = credential.issue_maker_identity(
    _HOLDER, _ISSUER, maker="acme", serial="L-1", model="lamp", constrained_class=2, support_end=date(2031, 1, 1),
    mud_url="https://acme.example/lamp.json", at=_AT, signature_id=_ES256,
)  # fmt: skip
_DOMAIN = credential.issue_domain_credential(
    _HOLDER, _ISSUER, domain="home", thing=_THING, at=_AT, expires=_LATER, cti=b"2", signature_id=_ES256
)
_DELEGATION = delegation.issue(
    _HOLDER, _ISSUER, domain="home", installer="ben", zones=("floor-1",), classes=(2,), at=_AT, expires=_LATER,
    cti=bytes(8),
)  # fmt: skip
_HASH = b"\x01" + bytes(32)


def _payload(data: bytes) -> bytes:
    return cwt.decode(data).payload or b""


def _signed(data: bytes, signature_id: AlgorithmId = _ES256) -> bytes:
    """A CWT of these claims whose signature is right."""
    return cwt.CWT_HEAD + sign1.sign(data, _ISSUER, signature_id=signature_id)


def _claims(data: bytes) -> None:
    """Whatever the issuer signs holds for whom it names alone: this issuer, this audience, this holder, now."""
    for presenter in (_HOLDER, _OTHER):
        token = attempt(
            partial(
                access_token.authenticate, _signed(data), _ISSUER.public, accept=_ACCEPT, at=_AT, issuer="as",
                audience="rs", presenter=presenter,
            )
        )  # fmt: skip
        if token is not None:
            said = codec.decode(data)
            ensure((said[1], said[3]) == ("as", "rs"), "a token of another issuer, or for another, was taken")
            ensure(
                token.public == presenter and token.expires > _AT, "a token of somebody else, or a late one, was taken"
            )
            ensure(Scope(token.scope.grants) == token.scope, "a scope that cannot be written was taken")


def _credentials(data: bytes) -> None:
    """A credential says of whom it is in words that can be kept and shown, or is refused."""
    signed = _signed(data)
    maker = attempt(
        partial(credential.authenticate_maker_identity, signed, _ISSUER.public, accept=_ACCEPT, maker="acme", at=_AT)
    )
    ensure(maker is None or 0 < len(maker.serial) <= 255, "a thing without a serial number")
    ensure(maker is None or maker.mud_url.startswith("https://"), "a description from anywhere")
    of_domain = attempt(
        partial(
            credential.authenticate_domain_credential, signed, _ISSUER.public, accept=_ACCEPT, domain="home", at=_AT
        )
    )
    ensure(of_domain is None or of_domain.expires > _AT, "a credential that has ended was taken")
    delegated = attempt(partial(delegation.authenticate, _signed(data, _ESP256), _ISSUER.public, domain="home", at=_AT))
    ensure(delegated is None or bool(delegated.zones and delegated.classes), "a delegation without bounds was taken")


def _unsigned(data: bytes) -> None:
    """Nothing that the issuer did not sign is taken; a claims set by value is read or refused."""
    attempt(lambda: ccs.decode(data))
    token = attempt(
        partial(
            access_token.authenticate, data, _ISSUER.public, accept=_ACCEPT, at=_AT, issuer="as", audience="rs",
            presenter=_HOLDER,
        )
    )  # fmt: skip
    ensure(token is None or _payload(data) == _payload(_ACCESS), "a token that nobody issued was taken")


def _token_endpoint(data: bytes) -> None:
    """Requests and responses are refused, or written again as they were understood."""
    request = attempt(lambda: TokenRequest.decode(data))
    ensure(request is None or TokenRequest.decode(request.encode()) == request, "a request for a token changed")
    response = attempt(lambda: TokenResponse.decode(data))
    ensure(response is None or TokenResponse.decode(response.encode()) == response, "an answer with a token changed")
    attempt(lambda: token_endpoint.decode_refusal(data))


def _revocation_list(data: bytes) -> None:
    """Any query of the list has an answer, a batch within its bound; any list is read or refused."""
    cursor = Cursor(data)
    limits = Limits(max_n=1 + cursor.number(8), max_diff_batch=1, max_index=8 + cursor.number(8))
    collection = UpdateCollection(limits)
    for _ in range(cursor.number(32)):
        collection.add(Change(added=(_HASH,)))
    rest = cursor.bytes(2048)
    said = revocation.answer(rest.decode("latin-1").split("&"), [_HASH], collection, limits)
    ensure(said.code in {Code.CONTENT, Code.BAD_REQUEST}, "a query without an answer")
    if said.code == Code.CONTENT:
        shown = codec.decode(said.payload)
        ensure(len(shown.get(revocation.Parameter.DIFF_SET, ())) <= 1, "more changes than a batch has")
    hashes = attempt(lambda: revocation.decode_full_set(rest))
    again = None if hashes is None else revocation.decode_full_set(revocation.encode_full_set(hashes, None))
    ensure(hashes == again, "a list changed")


_REQUEST = TokenRequest("thing-aaaaaaaaaaaaaaaa", _SCOPE, _HOLDER, b"nonce").encode()
_RESPONSE = TokenResponse(b"token", 3600, _SCOPE, ccs.encode(_HOLDER)).encode()

TARGETS = (
    Target("cwt claims", _claims, (_payload(_ACCESS),)),
    Target("cwt credentials", _credentials, (_payload(_MAKER), _payload(_DOMAIN), _payload(_DELEGATION))),
    Target("cwt", _unsigned, (_ACCESS, _MAKER, ccs.encode(_HOLDER, kid=b"k", subject="s"))),
    Target(
        "ace token",
        _token_endpoint,
        (_REQUEST, _RESPONSE, token_endpoint.refusal(PolicyError("no"))[1], b"\xa1\5\x61r"),
    ),
    Target(
        "ace revocation list",
        _revocation_list,
        (b"\3\0\5diff=0", b"\3\0\5diff=1&cursor=2", b"\3\0\0" + revocation.encode_full_set([_HASH], 3)),
    ),
)
