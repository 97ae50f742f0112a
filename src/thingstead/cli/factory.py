"""``thingstead factory``: a maker's side, played on this machine."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from urllib.parse import quote

from thingstead.agent.program import KEYS
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import day, read_file, seconds, whole
from thingstead.clock import SystemClock
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.waiting_room import shown
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.errors import ConfigError, DecodeError, UnsupportedError
from thingstead.phases.manufacture import Model
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import maker_server
from thingstead.protocols.profile.birth import DECRYPTION_KEY
from thingstead.protocols.profile.install_code import make_code, render_code
from thingstead.protocols.profile.key_set import KeySet, key_id
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.profile.release import VERIFIABLE
from thingstead.simulator import firmware, release_keys
from thingstead.simulator.factory import FIRMWARE_1_0_0, bear_thing, is_maker, make_maker, open_maker
from thingstead.storage.directory import write_whole

__all__ = ["IMAGE", "MAKER", "MAX_ANCHOR", "THING"]

MAX_ANCHOR = 1 << 18
"""Bytes of a maker's anchor file that are read: it may carry steps from one set of release keys to another."""

_MAX_CREDENTIAL = 4096
_SUPPORT_YEARS = 5
_NOT_HERE = "none"


def _maker(session: Session) -> int:
    options = session.options
    made = make_maker(
        session.path("directory"),
        name=options["name"],
        domain=options["domain"],
        at=SystemClock().utc(),
        second_place=session.path("hash_based") if options["hash_based"] is not None else None,
        kinds=_kinds(options["keys"]),
        signers=[_signer(session, name) for name in filter(None, (options["signers"] or "").split(","))],
        threshold=options["threshold"],
        is_hybrid=options["hybrid"],
    )
    anchor = anchor_file.decode(read_file(made.anchor, max_bytes=MAX_ANCHOR))
    session.console.show(
        {
            "maker": made.maker.name,
            "anchor": str(made.anchor),
            "identity_key": cose_key.thumbprint(made.maker.anchor.public).hex()[:16],
            "release_keys": [key.type.name for key in anchor.release_keys],
            "must_sign": str(KeySet(anchor.release_keys, anchor.signing)),
        }
    )
    session.console.next("thingstead trust add DOMAIN", made.anchor)
    return 0


def _kinds(said: str | None) -> Sequence[str]:
    if said == _NOT_HERE:
        return ()
    return release_keys.USUAL if said is None else said.split(",")


def _signer(session: Session, name: str) -> PublicKey:
    path = session.directory / name
    try:
        return cose_key.decode(read_file(path, max_bytes=_MAX_CREDENTIAL)).require_public()
    except (DecodeError, UnsupportedError) as error:
        raise ConfigError(f"expected the .signer file of a person at {path}: {error}") from None


def _thing(session: Session) -> int:
    options, at = session.options, SystemClock().utc()
    maker = open_maker(session.path("maker")).maker
    name = options["model"]
    model = Model(
        name=name,
        constrained_class=options["class"],
        mud_url=options["mud_url"] or f"https://{maker.domain}/{quote(name.lower(), safe='')}.json",
        support_end=options["support_end"] or date(at.year + _SUPPORT_YEARS, at.month, 1),
        verifies=VERIFIABLE if options["verifies"] is None else options["verifies"],
    )
    firmware = FIRMWARE_1_0_0
    if options["firmware"] is not None:
        firmware = read_file(session.path("firmware"), max_bytes=16 << 20)
    whose = _whose(session)
    code = make_code(secrets.token_bytes) if options["install_code"] else None
    born = bear_thing(
        session.path("directory"),
        maker,
        model,
        options["serial"],
        whose=whose,
        at=at,
        voucher_days=options["voucher_days"],
        firmware=firmware,
        install_code=code,
    )
    identity = Registrar({maker.name: maker.anchor.public}).authenticate(born.maker_identity, at=at)
    session.console.show(
        {
            "serial": born.serial,
            "maker": maker.name,
            "model": name,
            "mud_url": model.mud_url,
            "support_end": model.support_end.isoformat(),
            "key": shown(cose_key.thumbprint(identity.public)),
            "decryption_kid": key_id(_decryption_key(session.path("directory"))).hex(),
            **_said(whose),
            "directory": str(session.path("directory")),
            **({} if code is None else {"install_code": render_code(code)}),
        }
    )
    if code is not None:
        session.console.say("the code stands on its label; whoever has that in hand can let it in, once:")
        session.console.say(f"thingstead install-code add {options['serial']} {render_code(code)} --domain DOMAIN")
    if isinstance(whose, MakerServer):
        session.console.next("thingstead masa sell SERVER", options["directory"], "--to", "DOMAIN.credential")
    else:
        session.console.next("thingstead agent run", options["directory"])
    return 0


def _image(session: Session) -> int:
    options, target = session.options, session.path("file")
    interval = options["telemetry_interval"]
    image = firmware.demo_image(options["model"], options["version"], telemetry_interval=interval)
    write_whole(target, image)
    session.console.show({"written": str(target), "version": options["version"], "image_bytes": len(image)})
    session.console.next(
        f"thingstead release new --image {options['file']} --maker MAKER --model {options['model']}"
        f" --version {options['version']} --sequence 2"
    )
    return 0


def _whose(session: Session) -> bytes | MakerServer:
    """The credential of the domain, from its directory or from the file that its owner sent; or who will know it."""
    if (session.options["for"] is None) == (session.options["server"] is None):
        raise ConfigError("expected --for a domain that it was sold to, or --server of its maker who will know")
    if session.options["server"] is not None:
        return maker_server.decode(read_file(session.path("server"), max_bytes=maker_server.MAX_BYTES))
    path = session.path("for")
    if is_maker(path):
        first = open_maker(path).maker
        return ccs.encode(first.anchor.public, subject=first.name)
    if not path.is_dir():
        return read_file(path, max_bytes=_MAX_CREDENTIAL)
    directory = DomainDirectory(path)
    if not directory.configuration.exists():
        raise ConfigError(f"expected a domain's directory or its .credential file at {path}")
    return ccs.encode(directory.public("domain"), subject=directory.load().domain.name)


def _verified(text: str) -> frozenset[int]:
    if text != "none":
        raise ValueError("expected none; left out, a thing verifies all that releases are signed with")
    return frozenset()


def _decryption_key(directory: Path) -> PublicKey:
    return FileKeyStore(directory / KEYS).handle(DECRYPTION_KEY).public


def _said(whose: bytes | MakerServer) -> dict[str, str]:
    return {"asks": whose.location} if isinstance(whose, MakerServer) else {"sold_to": digest(whose).hex()[:16]}


MAKER = Action(
    (
        Parameter("directory", "the maker's new directory"),
        Parameter("--name", "its name, of a-z, 0-9 and hyphens", required=True),
        Parameter("--domain", "its DNS domain; vendor and class identifiers follow from it", required=True),
        Parameter(
            "--hash-based",
            "a third release key, HSS-LMS, for 1,024 signatures; this directory, on another disk, counts them too",
        ),
        Parameter("--keys", "release keys to make, such as p256,p256,ml-dsa-65, or none; else p256,ml-dsa-44"),
        Parameter("--signers", "people who sign elsewhere: their .signer files, with commas between them"),
        Parameter("--threshold", "how many of them must sign a release; else all", read=whole(1, 16), default=0),
        Parameter("--hybrid", "ask so many, or one, of the classical and of the post-quantum ones each", read=None),
    ),
    _maker,
    "Writes NAME.anchor, which domains need to trust it. Its keys stay in the directory, readable by you alone.",
)
THING = Action(
    (
        Parameter("directory", "the thing's own new directory"),
        Parameter("--maker", "the maker's directory", required=True),
        Parameter("--model", "what it is", required=True),
        Parameter("--serial", "the maker's number for it", required=True),
        Parameter("--for", "whom it was sold to: directory or .credential of a domain, directory of a maker or seller"),
        Parameter("--server", "instead: the .server file of the maker, whose server says so when it joins"),
        Parameter("--class", "constrained class of RFC 7228: 0, 1 or 2", read=whole(0, 2), default=2),
        Parameter("--mud-url", "where its MUD file is; else at the maker's domain"),
        Parameter("--support-end", "last day on which the maker mends it, YYYY-MM-DD; else five years on", read=day),
        Parameter("--voucher-days", "for how long the domain may take it in", read=whole(1, 36_500), default=365),
        Parameter("--firmware", "image that it runs at first; else a simulated 1.0.0"),
        Parameter(
            "--verifies", "`none`: it verifies no release, and domains keep it from the Internet", read=_verified
        ),
        Parameter("--install-code", "print a label whose code lets it in where no maker is known", read=None),
    ),
    _thing,
    "The thing makes its own key. The maker signs who it is (a CWT) and which domain may have it (a voucher), or\n"
    "has the thing ask that of its server when it joins (`thingstead masa`).",
)
IMAGE = Action(
    (
        Parameter("file", "image to write"),
        Parameter("--model", "model of the things it is for", required=True),
        Parameter("--version", "what the thing says that it runs, e.g. 1.1.0", required=True),
        Parameter("--telemetry-interval", "seconds between two readings from then on", read=seconds),
    ),
    _image,
    "A header that `thingstead agent run` obeys, and no machine code: things of that kind install nothing else.",
)
