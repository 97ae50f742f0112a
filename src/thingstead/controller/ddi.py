"""The door for devices that speak hawkBit's API and none of ours: whose request it is, and whether it stands.

A device has a token of 32 random bytes, shown once to the owner, or a certificate of the domain's authority; its record
holds the SHA-256 of either (`thing.DDI`, `thing.DDI_CERTIFICATE`), and nothing but that record lets it in.
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.controller.config import DdiConfig
from thingstead.controller.ddi_assets import ddi_assets
from thingstead.crypto.certificate import Certificate
from thingstead.crypto.digest import digest
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import DDI, DDI_CERTIFICATE, KeyRow, Thing
from thingstead.endpoint.counter import RateLimits
from thingstead.errors import AuthenticationError, ConfigError, DecodeError, PolicyError, ThingsteadError
from thingstead.identifier import ThingId, thing_id, thing_id_from_random
from thingstead.planes.software.ddi_action import DdiActions
from thingstead.protocols.ddi.request import ConfigData

__all__ = ["DdiDoor", "DdiRegistry", "Registered", "ddi_origin"]

_LOGGER = logging.getLogger(__name__)
_SPEC = "hawkBit DDI API v1"
_SCHEME = "TargetToken "
_TOKEN_SIZE = 32
_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE = 4.0, 120.0
_MAX_NAMES = 4096
_MAX_ATTRIBUTES = 64
_GONE = frozenset({LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED})
_BEGUN = frozenset({LifecycleState.INSTALLED, LifecycleState.BOOTSTRAPPING})
"""States that an addition leaves behind when it is cut short; the next one goes on from there."""
_LONGEST = 128
_ROLES = frozenset({DDI, DDI_CERTIFICATE})
_AUTHORITY, _CERTIFICATE = "authority of updates over HTTPS", "certificate of a device"
_WARNING = timedelta(days=730)
"""Somebody may have to walk to each device."""


def ddi_origin(config: DdiConfig) -> str:
    """What the links of the API begin with; empty where it is not served."""
    name = f"[{config.name}]" if ":" in config.name else config.name
    return f"https://{name}:{config.port}" if config.enabled else ""


class Registered:
    """A device and what it proves itself by: its token, which is shown this once, or its certificate."""

    __slots__ = ("certificate", "thing", "token")

    def __init__(self, thing: Thing, token: str, certificate: Certificate | None = None) -> None:
        self.thing = thing
        self.token = token
        self.certificate = certificate


class DdiRegistry:
    """Makes devices known that cannot join, and gives them tokens.

    Args:
        conductor: keeps what is decided.
        register: the things.
        makers: names of the makers that the owner trusts now.
        clock: for UTC.
        random_bytes: for ids and tokens.

    Attributes:
        certify: makes a certificate of a request and a name; None while nothing is served that would take it.
    """

    def __init__(
        self,
        conductor: Conductor,
        register: Register,
        *,
        makers: Callable[[], frozenset[str]],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._conductor = conductor
        self._register = register
        self._makers = makers
        self._clock = clock
        self._random_bytes = random_bytes
        self.certify: Callable[[bytes, str], Certificate] | None = None

    async def add(
        self,
        maker: str,
        model: str,
        serial: str,
        *,
        zone: str,
        mud_url: str,
        device_class: int,
        verifies_images: bool,
        request: bytes = b"",
        by: str,
    ) -> Registered:
        """Take in a device that the owner vouches for; one that verifies no image is kept off the Internet (R-70).

        Raises:
            ConfigError: a maker that is not trusted, or a word that is none.
            PolicyError: that maker's device of this serial number is known.
            StorageError: it could not be kept.
        """
        for what, word in (("model", model), ("serial number", serial), ("zone", zone)):
            if len(word) > _LONGEST or not word.isprintable() or (not word and what != "zone"):
                raise ConfigError(f"expected a {what} of 1 to {_LONGEST} characters that can be printed")
        if maker not in self._makers():
            raise ConfigError(f"no maker {maker[:40]!r} is trusted; `thingstead trust add` does that")
        thing = self._register.find(maker, serial)
        if thing is None:
            thing = Thing(
                id=thing_id_from_random(self._random_bytes(10)),
                version=1,
                state=LifecycleState.INSTALLED,
                restriction=Restriction.NONE,
                maker=maker,
                model=model,
                serial=serial,
                device_class=device_class,
                mud_url=mud_url,
                zone=zone,
                verifies=None if verifies_images else frozenset(),
            )
            details: dict[str, Detail] = {"maker": maker, "model": model, "serial": serial, "speaks": DDI}
            details["verifies"] = verifies_images
            await self._conductor.register(thing, actor=by, evidence=details)
        elif thing.keys or thing.state not in _BEGUN:
            raise PolicyError(f"{serial} of {maker} is known here already: `thingstead thing list`", reason="known")
        token, certificate, row = self._proof(thing.id, request)
        if thing.state is LifecycleState.INSTALLED:
            await self._conductor.transition(thing.id, Cause.JOIN_STARTED, actor=by)
        report = await self._conductor.transition(
            thing.id,
            Cause.JOINED,
            actor=by,
            evidence={"rule": "added by hand", "speaks": DDI},
            changes={"joined_at": self._clock.utc(), "keys": (row,)},
        )
        return Registered(report.thing, token, certificate)

    async def renew(self, thing: ThingId, *, request: bytes = b"", by: str) -> Registered:
        """Give a device another token, or a certificate; what it had before ends at once.

        One that has to join again, after a restore for example, is in with that: it has no other way to come back, and
        what it had may have been taken from it since.

        Raises:
            PolicyError: it has none, or has left.
            TransitionError: it has to join again, and is held or quarantined.
            StorageError: it could not be kept.
        """
        known = self._register.thing(thing)
        if not _has_proof(known) or known.state in _GONE:
            raise PolicyError(f"{thing} has no token: only what was added by `thingstead thing add` has", reason="ddi")
        token, certificate, row = self._proof(thing, request)
        closed = [_ended(one, row.since) for one in known.keys]
        changes: dict[str, Any] = {"keys": (*closed, row)}
        if known.state is LifecycleState.RE_BOOTSTRAPPING:
            report = await self._conductor.transition(
                thing,
                Cause.JOINED,
                actor=by,
                evidence={"rule": "added by hand", "speaks": DDI},
                changes={"joined_at": row.since, **changes},
            )
            return Registered(report.thing, token, certificate)
        changed = await self._conductor.amend(thing, actor=by, cause="ddi-token", changes=changes)
        return Registered(changed, token, certificate)

    def _proof(self, thing: ThingId, request: bytes) -> tuple[str, Certificate | None, KeyRow]:
        at = self._clock.utc()
        if request:
            if self.certify is None:
                raise ConfigError("certificates are for the server of updates, which does not run: [ddi] enabled")
            certificate = self.certify(request, thing)
            return "", certificate, KeyRow(digest(certificate.der), DDI_CERTIFICATE, at, certificate.expires)
        token = base64.urlsafe_b64encode(self._random_bytes(_TOKEN_SIZE)).decode("ascii").rstrip("=")
        return token, None, KeyRow(digest(token.encode()), DDI, at)


class DdiDoor:
    """Who asks, by their token, and what they may ask then.

    Args:
        register: the things.
        actions: what each device is to do.
        note_place: keeps the address that it did so from.
        on_refusal: told of what was refused: thing, source, reason.
        clock: both times.

    Attributes:
        authority_expires: when the certificate ends that devices know the domain by; None while it is not served.
    """

    def __init__(
        self,
        register: Register,
        actions: DdiActions,
        *,
        note_place: Callable[[ThingId, str], Awaitable[None]],
        on_refusal: Callable[[ThingId | None, str, str], None],
        clock: Clock,
    ) -> None:
        self._register = register
        self.actions = actions
        self._note_place = note_place
        self._on_refusal = on_refusal
        self._clock = clock
        self.authority_expires: datetime | None = None
        self._places: dict[ThingId, str] = {}
        self._heard: dict[ThingId, datetime] = {}
        self._said: dict[ThingId, dict[str, str]] = {}
        self._rates = RateLimits(_REQUESTS_PER_SECOND, burst=_REQUESTS_AT_ONCE, max_names=_MAX_NAMES)

    async def authenticate(self, device: str, authorization: str, *, source: str, certificate: bytes = b"") -> ThingId:
        """The thing that a request is from: its own token or certificate, for its own paths.

        A device that is not known, one that has no token and one that shows another's look the same.

        Args:
            device: id in the path.
            authorization: header; empty where there is none.
            source: address that it came from.
            certificate: that the connection proved the key of, in DER; empty where none was shown.

        Raises:
            AuthenticationError: not the token or certificate of that device (401).
            PolicyError: more requests than a device makes ("rate").
        """
        thing, rows = self._find(device)
        shown = authorization.removeprefix(_SCHEME) if authorization.startswith(_SCHEME) else ""
        proofs = {DDI: digest(shown.encode()), DDI_CERTIFICATE: digest(certificate)}
        is_right = any(hmac.compare_digest(proofs[row.role], row.thumbprint) for row in rows)
        if thing is None or not is_right:
            raise AuthenticationError("expected the token or certificate of this device", spec=_SPEC, reason="token")
        if not self._rates.allow(thing, self._clock.now()):
            raise PolicyError(f"{thing} asks too often", reason="rate")
        if self._places.get(thing) != source and self.actions.accepts(thing):
            # Who is cut off moves no rule of the network: it is kept where it was when that was decided.
            await self._note_place(thing, source)
            self._places[thing] = source
        self._heard[thing] = self._clock.utc()
        return thing

    def refuse(self, thing: ThingId | None, source: str, error: ThingsteadError) -> None:
        """Count a refusal for the ledger; the device's own words stay out of it."""
        _LOGGER.info("refused %s: %s", thing or source, error)
        self._on_refusal(thing, source, error.reason)

    def wants_config(self, thing: ThingId) -> bool:
        """Whether a device is asked what it says of itself: that is kept in memory, for nobody vouches for it."""
        return thing not in self._said

    def configure(self, thing: ThingId, said: ConfigData) -> None:
        """Take what a device says of itself."""
        before = {} if said.mode == "replace" else self._said.get(thing, {})
        if said.mode == "remove":
            after = {name: value for name, value in before.items() if name not in said.attributes}
        else:
            after = {**before, **said.attributes}
        if len(after) > _MAX_ATTRIBUTES:
            raise PolicyError(f"expected at most {_MAX_ATTRIBUTES} attributes of a device", reason="attributes")
        self._said[thing] = after

    def last_heard(self, thing: ThingId) -> datetime | None:
        """When a device last proved itself; None if it did not since our start."""
        return self._heard.get(thing)

    def expiries(self) -> list[Expiry]:
        """Each device's certificate, and the end of the domain's authority, which strands all of them."""
        if self.authority_expires is None:
            return []
        devices = [one for one in self._register.things() if one.state not in _GONE and _has_proof(one)]
        ends = [(row.until, one.id) for one in devices for row in _proofs(one, self._clock.utc())]
        found = [Expiry(_CERTIFICATE, at, (thing,), PlaneName.IDENTITY) for at, thing in ends if at is not None]
        stranded = tuple([one.id for one in devices])
        return [*found, Expiry(_AUTHORITY, self.authority_expires, stranded, PlaneName.IDENTITY, warning=_WARNING)]

    def assets(self) -> Iterable[CryptoAsset]:
        """What devices rest on, by its algorithms; nothing while they are not served."""
        if self.authority_expires is None:
            return ()
        at, here = self._clock.utc(), [one for one in self._register.things() if one.state not in _GONE]
        devices = [(one, _proofs(one, at)) for one in here if _has_proof(one)]
        return ddi_assets(devices, authority_expires=self.authority_expires)

    def told_of(self, thing: ThingId) -> dict[str, Any]:
        """What a device last said, for people; empty for one that does not speak this API."""
        if not _has_proof(self._register.thing(thing)):
            return {}
        return {"speaks": DDI, "progress": self.actions.progress.get(thing, ""), "says": self._said.get(thing, {})}

    async def tidy(self) -> None:
        """Forget devices that have left."""
        await self.actions.tidy(self._is_gone)
        for kept in (self._places, self._heard, self._said):
            for thing in [one for one in kept if self._is_gone(one)]:
                kept.pop(thing)

    def _find(self, device: str) -> tuple[ThingId | None, list[KeyRow]]:
        try:
            thing = thing_id(device)
            return thing, _proofs(self._register.thing(thing), self._clock.utc())
        except (DecodeError, ConfigError):
            return None, []

    def _is_gone(self, thing: ThingId) -> bool:
        return self._register.thing(thing).state in _GONE


def _has_proof(thing: Thing) -> bool:
    return any(row.role in _ROLES for row in thing.keys)


def _proofs(thing: Thing, at: datetime) -> list[KeyRow]:
    """What it was given last, unless that has ended: a clock that goes back brings nothing back from before it."""
    rows = [row for row in thing.keys if row.role in _ROLES][-1:]
    return [row for row in rows if row.until is None or at < row.until]


def _ended(row: KeyRow, at: datetime) -> KeyRow:
    is_open = row.role in _ROLES and (row.until is None or at < row.until)
    return replace(row, until=at) if is_open else row
