"""Whose a thing is: as its maker and the owners since say, or whoever holds it in his hands and resets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from thingstead.agent import wiping
from thingstead.agent.introduction import INSTALL_CODE
from thingstead.agent.ports import Home
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.crypto.keystore import KeyStore
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import ForbiddenError, StateError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import custody, papers, path, wipe
from thingstead.protocols.profile.birth import BIRTH, IDENTITY_KEY, Birth
from thingstead.protocols.profile.custody import CLAIM, CUSTODY, Custody, Owner
from thingstead.protocols.profile.papers import Papers

__all__ = ["HandedOn", "Ownership", "claim", "hand_on"]

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def claim(home: Home, keys: KeyStore, owner: PublicKey) -> None:
    """What the button on a thing does: it forgets everything, and belongs to `owner`, who has to prove it is in hand.

    Raises:
        StorageError: it could not be kept.
    """
    wiping.erase(home, keys)
    home.save(CLAIM, codec.encode(cose_key.public_map(owner)))


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What a thing gives with it to its next owner.

    Attributes:
        serial: its maker's number.
        papers: where it comes from, up to the link to the next owner.
        word: its receipt of a wipe that had nothing to erase.
    """

    serial: str
    papers: Papers
    word: bytes


def hand_on(
    home: Home, keys: KeyStore, owner: Owner, to: Owner, *, key: PrivateKey, at: datetime, nonce: bytes
) -> HandedOn:
    """What a seller does with a thing that was in no domain yet.

    Args:
        home: the thing's memory.
        keys: its key store.
        owner: whose it is.
        to: whose it is from then on.
        key: the owner's.
        at: now.
        nonce: for the thing's word.

    Raises:
        StateError: it holds something of a domain, which alone may hand it over; or it was reset by hand.
        SecurityError, ProtocolError: as `Ownership.follow`; nothing changed.
        StorageError: it could not be kept; nothing changed.
    """
    held = [name for name in wiping.inventory(home, keys) if name != INSTALL_CODE]
    if held or home.load(CLAIM) is not None:
        raise StateError(f"expected a thing that was in no domain, it holds {', '.join(held) or 'a claim by hand'}")
    birth = birth_record.decode(home.load(BIRTH) or b"")
    ownership = Ownership(home, birth, utc=lambda: at)
    link = custody.extend(ownership.papers.head, serial=birth.serial, owner=owner, to=to, at=at, key=key)
    ownership.follow(link, owner.key)
    word = wipe.sign(birth.serial, owner.name, (), at=at, nonce=nonce, key=keys.handle(IDENTITY_KEY))
    return HandedOn(birth.serial, ownership.papers, word)


class Ownership:
    """The chain of custody that a thing keeps, and what follows from it.

    Args:
        home: where it is kept.
        birth: what the maker gave.
        utc: the thing's clock, for the end of support.
    """

    def __init__(self, home: Home, birth: Birth, *, utc: Callable[[], datetime]) -> None:
        self._home = home
        self._birth = birth
        self._utc = utc

    @property
    def papers(self) -> Papers:
        """What it shows its owner."""
        links = custody.decode_links(self._home.load(CUSTODY))
        return Papers(self._birth.maker_identity, self._birth.voucher, links)

    @property
    def statement(self) -> bytes | None:
        """What it says in a join: its chain's end; empty after a reset by hand; None where its maker's word is all."""
        if self._home.load(CLAIM) is not None:
            return b""
        shown = self.papers
        by_maker = 0 if shown.voucher else 1
        return shown.head if len(shown.links) > by_maker else None

    @property
    def owner(self) -> PublicKey | None:
        """Whose it is; None where the maker's voucher alone says so, or its server was not asked yet.

        Raises:
            SecurityError, ProtocolError: the chain that it keeps is none.
        """
        claimed = self._home.load(CLAIM)
        if claimed is not None:
            return cose_key.decode(claimed).require_public()
        known = self._custody()
        return None if known is None else known.owner.key

    def born(self) -> Birth:
        """What the maker gave, with the release keys of who took its part where somebody did."""
        known = self._custody()
        mender = None if known is None else known.mender
        if mender is None:
            return self._birth
        return replace(
            self._birth,
            release_anchors=mender.release_keys,
            signing=mender.signing,
            release_step=mender.release_step,
        )

    def serve(self, resources: Resources, member_key: Callable[[], PublicKey | None]) -> None:
        """Register the papers; `member_key` is that of the domain that it is in."""

        def show(_call: Call) -> Message:
            options = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))]
            return Message(Code.CONTENT, options=options, payload=papers.encode(self.papers))

        def adopt(call: Call) -> Message:
            self.follow(call.request.payload, member_key())
            return Message(Code.CHANGED)

        resources.register(path.CUSTODY, Code.GET, show, produces=(ContentFormat.CBOR,))
        resources.register(path.CUSTODY, Code.PUT, adopt)

    def begin(self, link: bytes, owner: PublicKey) -> None:
        """Keep the first link, by which the maker's server says whose the thing is (docs/adr/0026).

        Args:
            link: as the server sent it.
            owner: the domain's key, whom it has to name.

        Raises:
            UntrustedError: it is by somebody else, or names somebody else, or takes the maker's updates over.
            SecurityError, ProtocolError: it is no link, or its signature does not verify.
            StorageError: it could not be kept; nothing changed.
        """
        first = self._authenticate((link,)).owner
        if first.key != owner or first.release_keys:
            raise UntrustedError("the maker's server gave the thing to another domain", reason="custody")
        self._home.save(CUSTODY, custody.encode_links((link,)))

    def follow(self, link: bytes, by: PublicKey | None) -> None:
        """Add the next link of custody.

        Raises:
            UntrustedError: it does not follow, or is not by the owner that the thing is with.
            ForbiddenError: it takes over the updates of a thing that its maker still mends.
            SecurityError, ProtocolError: it is no link, or its signature does not verify.
            StorageError: it could not be kept; nothing changed.
        """
        shown = self.papers
        links = (*shown.links, link)
        chain = self._authenticate(links)
        if chain.owners[-2].key != by:
            raise UntrustedError("a link of custody is not by the owner that the thing is with", reason="custody")
        if chain.took_over and self._utc() < self._support_end():
            raise ForbiddenError("the maker still mends this thing; its updates are taken over after that")
        self._home.save(CUSTODY, custody.encode_links(links))

    def _custody(self) -> Custody | None:
        links = self.papers.links
        return self._authenticate(links) if links else None

    def _authenticate(self, links: tuple[bytes, ...]) -> Custody:
        birth = self._birth
        server = None if birth.server is None else birth.server.voucher_key
        return custody.authenticate(
            birth.voucher,
            links,
            anchor=birth.maker_anchor,
            serial=birth.serial,
            supported_until=self._support_end(),
            server=server,
        )

    def _support_end(self) -> datetime:
        """The first instant after the last day; the maker's own word, which the factory put here."""
        days = token.decode(self._birth.maker_identity).claims.required(Claim.SUPPORT_END)
        return _EPOCH + timedelta(days=days + 1)
