"""``thingstead release key``, and whose keys a command line names: a maker's, a person's, a token's, a shared one."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.crypto import token_uri
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.hss_signing import IDENTIFIER_SIZE, SEED_SIZE
from thingstead.crypto.key import PrivateKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId
from thingstead.phases.maintain import SigningKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.authentication import Signer
from thingstead.secret import Secret
from thingstead.simulator.factory import open_maker
from thingstead.simulator.release_keys import KEY_TYPES
from thingstead.storage.directory import private_directory, write_whole
from thingstead.storage.hss_key import HssKey, this_machine

__all__ = ["KEY", "KEY_OPTION", "TOKEN_OPTION", "keys_of"]

KEY_OPTION = Parameter("--key", "directory of a person's release key (`thingstead release key`)")
TOKEN_OPTION = Parameter("--token", "a key on a token: pkcs11:token=T;object=KEY?module-path=LIBRARY&pin-source=FILE")

_RELEASE_KEY = KeyId("release")
_HASHES = "hss-lms"
_COUNTED, _SECOND_PLACE = "hash-based", "second-place"
_MAX_PIN, _MAX_PATH = 256, 4096
_PIN_VARIABLE = "THINGSTEAD_TOKEN_PIN"
_MAC_KEY_SIZE = 32
_KID = re.compile(r"([0-9a-f]{2}){1,32}")


def keys_of(session: Session) -> list[SigningKey]:
    """Every key that is named, under the name by which things know it.

    Raises:
        ConfigError: none named, or one that is not there or cannot be used.
        StorageError: one that cannot be read, or a token that fails.
    """
    options = session.options
    keys: list[SigningKey] = []
    if options.get("maker") is not None:
        keys += [_named(key) for key in open_maker(session.path("maker")).maker.release_keys]
    if options["key"] is not None:
        keys.append(_named(_of_person(session.path("key"))))
    if options["token"] is not None:
        keys.append(_named(_on_token(session)))
    if options.get("mac") is not None:
        keys.append(_mac(session))
    if not keys:
        raise ConfigError("expected somebody who signs: --maker, --key, --token or --mac")
    return keys


def _named(key: PrivateKey) -> SigningKey:
    return profile.signer(key.public), key


def _of_person(folder: Path) -> PrivateKey:
    place = folder / _SECOND_PLACE
    if place.exists():
        second = Path(read_file(place, max_bytes=_MAX_PATH).decode("utf-8", "surrogateescape"))
        return HssKey(folder / _COUNTED, second, machine=this_machine())
    if not (folder / _RELEASE_KEY).exists():
        raise ConfigError(f"no release key is in {folder}; `thingstead release key` makes one")
    return FileKeyStore(folder).handle(_RELEASE_KEY)


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


def _mac(session: Session) -> SigningKey:
    kid = session.options["kid"]
    if kid is None or not _KID.fullmatch(kid):
        raise ConfigError("expected --kid with --mac: 1 to 32 bytes in hexadecimal")
    key = read_file(session.path("mac"), max_bytes=_MAC_KEY_SIZE)
    if len(key) != _MAC_KEY_SIZE:
        raise ConfigError(f"expected a shared key of {_MAC_KEY_SIZE} bytes, got {len(key)}")
    return Signer(bytes.fromhex(kid), AlgorithmId.HMAC_256_256), Secret(key)


def _key(session: Session) -> int:
    folder = session.path("directory")
    public = _made(session, folder).public
    target = folder.with_name(f"{folder.name}.signer")
    write_whole(target, codec.encode(cose_key.public_map(public)))
    session.console.show({"key": profile.signer(public).kid.hex(), "type": public.type.name, "public": str(target)})
    session.console.next("thingstead factory maker MAKER --name NAME --domain DOMAIN --signers", target.name)
    return 0


def _made(session: Session, folder: Path) -> PrivateKey:
    options = session.options
    if (options["type"] == _HASHES) != (options["second_place"] is not None):
        raise ConfigError(f"expected --second-place with --type {_HASHES}, and with no other")
    if options["token"] is not None:
        return _on_token(session)
    if options["type"] != _HASHES:
        return FileKeyStore(folder).create(_RELEASE_KEY, KEY_TYPES[options["type"]])
    second = session.path("second_place").resolve()
    made = HssKey.create(
        private_directory(folder) / _COUNTED,
        second,
        machine=this_machine(),
        seed=Secret(secrets.token_bytes(SEED_SIZE)),
        identifier=secrets.token_bytes(IDENTIFIER_SIZE),
        height=int(options["height"]),
    )
    write_whole(folder / _SECOND_PLACE, str(second).encode("utf-8", "surrogateescape"))
    return made


KEY = Action(
    (
        Parameter("directory", "where the key will be"),
        Parameter("--type", "what it is", choices=(*KEY_TYPES, _HASHES), default="p256"),
        Parameter("--second-place", "of a key of hashes: a directory on another disk that counts its signatures too"),
        Parameter("--height", "of its tree: 32, 1,024 or 32,768 signatures", choices=("5", "10", "15"), default="10"),
        Parameter("--token", "instead: the URI of a key that is on a token, of which only the public half is written"),
    ),
    _key,
    "The public half is written beside it, for whoever makes the maker's anchor. A key of hashes (HSS-LMS) makes so\n"
    "many signatures and no more, two for a release in a folder: its envelope and its statement.",
)
