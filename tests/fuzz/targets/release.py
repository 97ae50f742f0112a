"""What goes with a release, and what others know of its parts: SBOMs, package URLs, records of vulnerabilities."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import UTC, datetime
from functools import partial

from tests.fuzz.target import Target, attempt, ensure
from thingstead.analysis import unpacking
from thingstead.analysis.osv import parse_record
from thingstead.analysis.package_url import parse_purl
from thingstead.analysis.sbom import parse_sbom
from thingstead.analysis.version_order import ORDERS
from thingstead.analysis.vulnerability import Feed
from thingstead.crypto.key import KeyType, private_key
from thingstead.domain import release_result, type_result
from thingstead.domain.check import Check, Outcome
from thingstead.domain.release_result import Result, Verdict
from thingstead.domain.type_result import ThingType, TypeResult
from thingstead.domain.type_result import Verdict as TypeVerdict
from thingstead.identifier import ThingId
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile import release_statement
from thingstead.protocols.suit.digest import digest_of
from thingstead.secret import Secret

_PACKAGE = {"name": "libcoap", "ecosystem": "Debian:12", "purl": "pkg:generic/libcoap"}
_RANGES = [
    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.3.1-1"}]},
    {"type": "SEMVER", "events": [{"introduced": "1.0.0-rc.1"}, {"last_affected": "2.0.0"}]},
    {"type": "GIT", "repo": "https://github.com/obgm/libcoap.git", "events": [{"introduced": "a" * 40}]},
]
_RECORD = json.dumps({"id": "X-1", "affected": [{"package": _PACKAGE, "ranges": _RANGES, "versions": ["v4"]}]}).encode()
_SBOM = json.dumps(
    {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [
            {"name": "libcoap", "version": "4.3.0-1", "purl": "pkg:deb/debian/libcoap@4.3.0-1?arch=arm"},
            {"name": "libcoap", "pedigree": {"commits": [{"uid": "a" * 40}]}, "components": [{"name": "in"}]},
        ],
    }
).encode()
_COMPONENTS = parse_sbom(_SBOM).components
_FEED = Feed([parse_record(_RECORD)])
_STATEMENT = release_statement.Statement(
    digest_of(b"manifest"), {"mud.json": release_statement.member("mud.json", b"{}")}
)
_KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_SIGNED = release_statement.sign_statement(_STATEMENT, [(profile.signer(_KEY.public), _KEY)])

_CHECKS = (Check("signatures", Outcome.PASSED), Check("image-scan", Outcome.REFUSED, ("not in time",)))
_AT = datetime(2026, 11, 23, tzinfo=UTC)
_RESULT = release_result.encode(
    Result(bytes(32), bytes(32), "acme", "LX-1", "1", 2, True, _AT, Verdict.REFUSED, _CHECKS, {"rules": "aa"})
)
_TYPE_RESULT = type_result.encode(
    TypeResult(ThingType("acme", "LX-1"), "1", ThingId("thing-abcdefghijklmnop"), _AT, _CHECKS[:1], {"rules": "aa"})
)


def _sbom(data: bytes) -> None:
    """What is read has printable names and places of its own, and is matched without an error."""
    read = attempt(lambda: parse_sbom(data))
    if read is not None:
        ensure(all(one.name.isprintable() and one.version.isprintable() for one in read.components), "unprintable")
        ensure(len({one.place for one in read.components}) == len(read.components), "two components in one place")
        _FEED.match(read.components)


def _record(data: bytes) -> None:
    """What is read is kept without loss, and judges components without an error."""
    read = attempt(lambda: parse_record(data))
    if read is not None:
        ensure(parse_record(read.encode()) == read, "kept otherwise than read")
        Feed([read]).match(_COMPONENTS)


def _purl(data: bytes) -> None:
    """Whatever is read names a package that is read to itself."""
    read = attempt(lambda: parse_purl(data.decode("utf-8", "replace")))
    if read is not None:
        ensure(bool(read.type and read.name), "a package without a name")


def _order(data: bytes) -> None:
    """Any two versions that an order takes are ordered one way, or are equal."""
    texts = data.decode("latin-1").split("|")[:4]
    for key_of in ORDERS.values():
        keys = [key for one in texts if (key := attempt(partial(key_of, one))) is not None]
        ensure(sorted(sorted(keys), reverse=True) == sorted(keys)[::-1] or len(set(keys)) < len(keys), "no order")


def _statement(data: bytes) -> None:
    """What is read would be signed as it was read."""
    read = attempt(lambda: release_statement.decode(data))
    if read is not None:
        ensure(len(read.members) <= 32, "more members than are taken")
        ensure(release_statement.encode(read) in data, "encoded otherwise than signed")


def _packed(data: bytes) -> None:
    """Whatever an image holds, what comes out of it stays within the bounds."""
    limits = unpacking.Limits(max_bytes=1 << 16, max_places=32)
    found = list(unpacking.unpack(data, limits=limits))
    ensure(sum(len(one.content) for one in found) <= limits.max_bytes, "more came out than is taken")
    ensure(len(found) <= limits.max_places, "more places than are tried")
    ensure(all(0 <= one.offset < len(data) for one in found), "a place outside the image")


def _result(data: bytes) -> None:
    """What is read says what was written, and nothing that its checks do not come to."""
    read = attempt(lambda: release_result.decode(data))
    if read is not None:
        ensure(release_result.encode(read) == data, "encoded otherwise than read")
        refused = any(one.outcome is Outcome.REFUSED for one in read.checks)
        ensure(refused == (read.verdict is Verdict.REFUSED), "a verdict against its checks")


def _type_result(data: bytes) -> None:
    """What is read says what was written, and no type has passed with a check that did not."""
    read = attempt(lambda: type_result.decode(data))
    if read is not None:
        ensure(type_result.encode(read) == data, "encoded otherwise than read")
        sound = {one.outcome for one in read.checks} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
        ensure(sound or read.verdict is not TypeVerdict.PASSED, "a verdict against its checks")


TARGETS = (
    Target("release.packed", _packed, (gzip.compress(bytes(999)), bz2.compress(gzip.compress(_SBOM * 9)))),
    Target("release.sbom", _sbom, (_SBOM,)),
    Target("release.osv", _record, (_RECORD,)),
    Target("release.purl", _purl, (b"pkg:deb/debian/x@1?arch=arm", b"pkg:npm/%40a/b@1")),
    Target("release.version_order", _order, (b"1.0~rc1|1:1.0-1", b"1.0.0-alpha.1|v1.2")),
    Target("release.result", _result, (_RESULT,)),
    Target("release.type_result", _type_result, (_TYPE_RESULT,)),
    Target("release.statement", _statement, (_SIGNED,)),
)
