"""A Group Manager with everything around it in memory, and things that ask it."""

import asyncio
import random
from datetime import timedelta

from tests.unit.controller.planes import JumpingClock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import StorageError, TransportError
from thingstead.identifier import ThingId
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.courier import Courier
from thingstead.planes.groups.group_manager import GroupManager, Settings
from thingstead.planes.groups.roster import Rosters
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.protocols.ace.groupcomm_join import (
    JoinRequest,
    JoinResponse,
    client_proof_input,
    decode_challenge,
    scope_entry,
)
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs

RENEWAL = timedelta(days=7)
LIGHT = Scope({"/light": Permission.GET | Permission.PUT})
MAY_JOIN = Scope({"/ace-group/lamps": Permission.GET | Permission.POST})
MAY_COMMAND = Scope({"/ace-group/lamps": Permission.GET | Permission.POST, "/ace-group/lamps/light": Permission.PUT})


class Disk:
    """The plane's documents; `is_full` refuses the next writes, `is_slow` lets others run before each."""

    def __init__(self, documents=None):
        self.documents = dict(documents or {})
        self.entries = []
        self.is_full = False
        self.is_slow = False

    def load(self):
        return dict(self.documents)

    async def write(self, changes, *, entries=()):
        if self.is_full:
            raise StorageError("no space left")
        for _ in range(5 * self.is_slow):
            await asyncio.sleep(0)
        for name, document in changes.items():
            if document is None:
                self.documents.pop(name, None)
            else:
                self.documents[name] = document
        self.entries.extend(entries)


class LiveGroups:
    """The domain's own membership: keys by group, and the numbers that it may use."""

    def __init__(self):
        self.keys = {}
        self.installed = []
        self.reserved = {}

    def install_group(self, keys, *, reserved, fresh):
        self.keys[keys.name] = keys
        self.installed.append((keys.gid, fresh))
        self.reserved[keys.name] = reserved

    def group_sequence_reserved(self, name, upto):
        self.reserved[name] = upto

    def accepts_member(self, name, credential):
        return any(peer.credential == credential for peer in self.keys[name].members)


class Domain:
    """A groups plane over a disk, with members that answer as `members` says: thing -> function of the request."""

    def __init__(self, documents=None, seed=1):
        self.disk = Disk(documents)
        self.live = LiveGroups()
        self.clock = JumpingClock()
        self.scopes: dict[ThingId, Scope | None] = {}
        self.members = {}
        self.asked = []
        self.key = KEY
        rosters = Rosters(self.live)
        self.engine = GroupManager(
            self.disk,
            KEY,
            rosters,
            settings=Settings(domain="home", right=LIGHT, renewal=RENEWAL),
            clock=self.clock,
            random_bytes=random.Random(seed).randbytes,
        )
        self.engine.tell()
        self.manager = Courier(
            self.engine,
            rosters,
            self.live,
            scope_of=self.scopes.get,
            ask=self.ask,
            send=self.send,
            clock=self.clock,
            within=0.01,
        )

    async def ask(self, thing, message):
        self.asked.append((thing, message))
        if thing not in self.members:
            raise TransportError("silent")
        return self.members[thing](message)

    async def send(self, name, message, expected):
        return {member.sender_id: Message(Code.CHANGED) for member in self.manager.group(name).members}

    async def admitted(self, thing, scope=MAY_JOIN):
        self.scopes[thing.id] = scope
        await self.manager.admit(thing, cause="joined", transition_id=thing.transition_id)

    async def joined(self, thing, scope=MAY_JOIN, key=None, roles=Role.RESPONDER):
        """The thing in the group, through the front door."""
        await self.admitted(thing, scope)
        return await self.asks(thing, key=key, roles=roles)

    async def asks(self, thing, **request):
        """The answer to a Join Request of the thing, and to the challenge before it."""
        challenge = decode_challenge(await self.manager.challenge(thing.id, "lamps"))
        return JoinResponse.decode(await self.manager.join(thing.id, "lamps", joining(challenge, **request).encode()))

    async def keys(self, thing, name="lamps"):
        """What the thing gets that asks for its keys."""
        return GroupKeys.decode(await self.manager.keys(thing, name))

    def record(self, name="lamps"):
        """The group as it is on disk, with its keys."""
        return group_record.decode(self.disk.documents[f"group/{name}"])


KEY = generate(KeyType.P256)


def takes_keys(_message):
    return Message(Code.CHANGED)


def joining(challenge, *, key=None, roles=Role.RESPONDER, name="lamps", credential=None, proof=None):
    """A Join Request; `key` signs, and is in the credential if that is not given."""
    key = key or generate(KeyType.P256)
    scope = scope_entry(name, roles)
    proof_input = client_proof_input(scope, kdc_challenge=challenge, cnonce=b"01234567")
    signed = key.sign(proof_input, AlgorithmId.ESP256)
    return JoinRequest(
        name, roles, credential or ccs.encode(key.public, kid=b"kid"), b"01234567", proof or signed, scope
    )


class EagerGroups:
    """The plane with things that join their group as soon as they may."""

    def __init__(self):
        self._domain = Domain()

    def __getattr__(self, name):
        return getattr(self._domain.manager, name)

    async def admit(self, thing, *, cause, transition_id):
        manager = self._domain.manager
        await manager.create("lamps")
        receipt = await manager.admit(thing, cause=cause, transition_id=transition_id)
        if manager.group("lamps").member(thing.id) is None:
            await self._domain.joined(thing)
        return receipt
