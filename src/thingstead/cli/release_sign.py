"""``thingstead release sign``, ``approve`` and ``key``: whose keys sign, and that they sign what they were shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.release_inspect import ANCHOR, anchor_of
from thingstead.cli.release_view import DIGEST_SHOWN, RELEASE, Opened, open_release, record, story
from thingstead.crypto import token_uri
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.key import PrivateKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import AuthenticationError, ConfigError
from thingstead.identifier import KeyId
from thingstead.phases import maintain
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import Signer
from thingstead.secret import Secret
from thingstead.simulator.factory import open_maker
from thingstead.simulator.release_keys import KEY_TYPES
from thingstead.storage.directory import write_whole

__all__ = ["APPROVE", "KEY", "SIGN"]

_RELEASE_KEY = KeyId("release")
_MAX_PIN = 256
_PIN_VARIABLE = "THINGSTEAD_TOKEN_PIN"
_MAC_KEY_SIZE = 32
_KID = re.compile(r"([0-9a-f]{2}){1,32}")
_DIGEST = Parameter("--digest", "how its manifest's digest begins, as `release inspect` shows it")
_KEY = Parameter("--key", "directory of a person's release key (`thingstead release key`)")
_TOKEN = Parameter("--token", "a key on a token: pkcs11:token=T;object=KEY?module-path=LIBRARY&pin-source=FILE")
_ANYBODY = ("key", "DIRECTORY")
_SHORTEST = 8


def _sign(session: Session) -> int:
    opened = open_release(session)
    _require_shown(session, opened)
    return _add_signatures(session, opened, _keys(session))


def _approve(session: Session) -> int:
    opened, anchor = open_release(session), anchor_of(session)
    if session.options["digest"] is not None:
        _require_shown(session, opened)
        return _add_signatures(session, opened, _keys(session))
    told = record(opened, anchor)
    session.console.show(told if session.console.as_json else story(told))
    whose = [(name, session.options[name]) for name in ("key", "token") if session.options[name] is not None]
    words = [
        session.options["release"],
        *[word for name, value in whose or [_ANYBODY] for word in (f"--{name}", value)],
    ]
    session.console.say("nothing is signed yet; whoever agrees with all of this repeats it with the digest:")
    session.console.next("thingstead release approve", *words, "--digest", told["manifest_digest"][:DIGEST_SHOWN])
    return 0


def _require_shown(session: Session, opened: Opened) -> None:
    """Nobody signs what was exchanged since they looked at it."""
    shown, digest = session.options["digest"], opened.envelope.digest.value.hex()
    if shown is None or len(shown) < _SHORTEST or not digest.startswith(shown.lower()):
        raise AuthenticationError(
            f"expected --digest {digest[:DIGEST_SHOWN]}, which is on this release: look at it with `release inspect`",
            reason="manifest-digest",
        )


def _keys(session: Session) -> list[tuple[Signer, PrivateKey | Secret]]:
    options = session.options
    keys: list[tuple[Signer, PrivateKey | Secret]] = []
    if options.get("maker") is not None:
        keys += [_named(key) for key in open_maker(session.path("maker")).maker.release_keys]
    if options["key"] is not None:
        keys.append(_named(FileKeyStore(session.path("key")).handle(_RELEASE_KEY)))
    if options["token"] is not None:
        keys.append(_named(_on_token(session)))
    if options.get("mac") is not None:
        keys.append(_mac(session))
    if not keys:
        raise ConfigError("expected somebody who signs: --maker, --key, --token or --mac")
    return keys


def _named(key: PrivateKey) -> tuple[Signer, PrivateKey]:
    return profile.signer(key.public), key


def _on_token(session: Session) -> PrivateKey:
    uri = token_uri.parse(session.options["token"])
    if uri.pin_source:
        pin = read_file(session.directory / uri.pin_source, max_bytes=_MAX_PIN).rstrip(b"\r\n")
    elif _PIN_VARIABLE in session.environment:
        pin = session.environment[_PIN_VARIABLE].encode()
    else:
        raise ConfigError(f"expected pin-source=FILE in the URI of the token, or its PIN in {_PIN_VARIABLE}")
    try:
        from thingstead.crypto.token import TokenKey
    except ImportError:
        raise ConfigError("tokens need python-pkcs11; `pip install thingstead[pkcs11]` brings it") from None
    return TokenKey(uri, Secret(pin))


def _mac(session: Session) -> tuple[Signer, Secret]:
    kid = session.options["kid"]
    if kid is None or not _KID.fullmatch(kid):
        raise ConfigError("expected --kid with --mac: 1 to 32 bytes in hexadecimal")
    key = read_file(session.path("mac"), max_bytes=_MAC_KEY_SIZE)
    if len(key) != _MAC_KEY_SIZE:
        raise ConfigError(f"expected a shared key of {_MAC_KEY_SIZE} bytes, got {len(key)}")
    return Signer(bytes.fromhex(kid), AlgorithmId.HMAC_256_256), Secret(key)


def _add_signatures(session: Session, opened: Opened, keys: Sequence[tuple[Signer, PrivateKey | Secret]]) -> int:
    signing = maintain.yet_to_sign(opened.envelope, keys)
    if opened.folder is None:
        write_whole(opened.path, envelope.encode(maintain.sign_with(opened.envelope, signing)))
    else:
        statement = maintain.state(opened.envelope, opened.folder.members(), signing, signed=opened.folder.statement)
        opened.folder.sign(envelope.encode(maintain.sign_with(opened.envelope, signing)), statement)
    session.console.show(
        {
            "signed": opened.envelope.digest.value.hex(),
            "signatures": [f"{REGISTRY[one.signature_id].name} {one.kid.hex()}" for one, _ in signing],
            "of_all": len(opened.envelope.blocks) + len(signing),
        }
    )
    anchor = "MAKER.anchor"
    if session.options.get("maker") is not None:
        anchor = f"{session.options['maker']}/{open_maker(session.path('maker')).maker.name}.anchor"
    session.console.next("thingstead release inspect", session.options["release"], "--anchor", anchor)
    return 0


def _key(session: Session) -> int:
    folder = session.path("directory")
    if session.options["token"] is not None:
        public = _on_token(session).public
    else:
        public = FileKeyStore(folder).create(_RELEASE_KEY, KEY_TYPES[session.options["type"]]).public
    target = folder.with_name(f"{folder.name}.signer")
    write_whole(target, codec.encode(cose_key.public_map(public)))
    session.console.show({"key": profile.signer(public).kid.hex(), "type": public.type.name, "public": str(target)})
    session.console.next("thingstead factory maker MAKER --name NAME --domain DOMAIN --signers", target.name)
    return 0


SIGN = Action(
    (
        RELEASE,
        Parameter("--maker", "the maker's directory: every release key in it signs"),
        _KEY,
        _TOKEN,
        Parameter("--mac", "file of 32 bytes that sender and things share: a MAC, for a few things that say so"),
        Parameter("--kid", "with --mac: what things call that key, in hexadecimal"),
        _DIGEST,
    ),
    _sign,
    "Adds one block for each key that has not signed yet, and signs with it what goes with the release.",
)
APPROVE = Action(
    (RELEASE, _KEY, _TOKEN, ANCHOR, _DIGEST),
    _approve,
    "Each person on a machine of their own: first it shows what things will do, and the second time, with the digest\n"
    "that was shown, it signs.",
)
KEY = Action(
    (
        Parameter("directory", "where the key will be"),
        Parameter("--type", "what it is", choices=tuple(KEY_TYPES), default="p256"),
        Parameter("--token", "instead: the URI of a key that is on a token, of which only the public half is written"),
    ),
    _key,
    "The public half is written beside it, for whoever makes the maker's anchor.",
)
