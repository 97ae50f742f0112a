"""Nobody is more than the kernel or a signature says, and a signature is good for one request."""

import asyncio
import base64
from dataclasses import dataclass

import pytest

from tests.unit.controller.test_installers import Site
from thingstead.controller.gate import Challenges, Gate
from thingstead.controller.operation import Acting, Operation, Operations
from thingstead.controller.operation_people import rows as people_rows
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.role import Operator, Right, Role
from thingstead.errors import ConfigError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import signed_request
from thingstead.storage.operator_file import Operators

pytestmark = pytest.mark.requirement("R-06")

BEN, DORA, STRANGER = (generate(KeyType.P256) for _ in range(3))


@dataclass(frozen=True, slots=True)
class Deed(Acting):
    thing: str = ""


async def _by(request):
    return {"by": request.by, "proof": request.proof.hex()}


class Door:
    def __init__(self):
        self.refused: list[str] = []
        self.site, self.written = Site(), True
        self.site.add(public=BEN.public)
        numbers = iter(range(10_000))
        self.challenges = Challenges(
            "home", clock=self.site.clock, random_bytes=lambda size: next(numbers).to_bytes(size, "big")
        )
        rows = [Operation(f"do.{right}", Deed, right, "for tests", _by) for right in Right]
        self.gate = Gate(
            Operations(*rows, *people_rows(self.site.installers, self.challenges, clock=self.site.clock)),
            self.challenges,
            installers=self.site.installers,
            operators=self.operators,
            on_refusal=self.refused.append,
        )

    def operators(self):
        if not self.written:
            raise ConfigError("line 1 of the operators: nonsense")
        return Operators(
            {1001: Operator(Role.MAINTAINER, "max")},
            {cose_key.thumbprint(DORA.public): (DORA.public, Operator(Role.USER, "dora"))},
        )

    def challenge(self):
        told = asyncio.run(self.gate.answer_owner({"operation": "challenge"}, 0))["result"]
        assert told["domain"] == "home"
        return bytes.fromhex(told["challenge"])

    def signed(self, operation, key, challenge=None, domain="home", **arguments):
        challenge = self.challenge() if challenge is None else challenge
        return signed_request.sign(operation, arguments, key, domain=domain, challenge=challenge)

    def send(self, encoded):
        text = encoded if isinstance(encoded, str) else base64.urlsafe_b64encode(encoded).decode()
        return asyncio.run(self.gate.answer_owner({"signed": text}, 0))


@pytest.mark.parametrize("uid", [1002, 0])
def test_a_member_of_the_group_who_is_not_named_only_looks(uid):
    door = Door()
    for right in Right:
        answer = asyncio.run(door.gate.answer_member({"operation": f"do.{right}"}, uid))
        assert ("result" in answer) == (right in {Right.SEE, Right.AUDIT})


def test_a_user_is_what_the_file_says_and_does_it_under_that_name():
    door = Door()
    answer = asyncio.run(door.gate.answer_member({"operation": "do.maintain"}, 1001))
    assert answer["result"] == {"by": "maintainer:max", "proof": ""}
    assert "error" in asyncio.run(door.gate.answer_member({"operation": "do.own"}, 1001))


def test_where_the_file_cannot_be_read_nobody_is_anybody_but_the_owner():
    door = Door()
    door.written = False
    error = asyncio.run(door.gate.answer_member({"operation": "do.see"}, 1001))["error"]
    assert (error["kind"], door.refused) == ("ConfigError", ["config"])
    assert "error" in door.send(door.signed("do.see", DORA))
    assert asyncio.run(door.gate.answer_owner({"operation": "do.own"}, 1000))["result"]["by"] == "owner"


@pytest.mark.parametrize(
    ("key", "actor", "rights"),
    [(BEN, "installer:ben", {Right.SEE, Right.ADMIT}), (DORA, "user:dora", {Right.SEE, Right.USE})],
)
def test_a_signature_makes_its_signer_of_whoever_brings_it_even_of_the_owner(key, actor, rights):
    door = Door()
    for right in Right:
        encoded = door.signed(f"do.{right}", key)
        answer = door.send(encoded)
        if right in rights:
            assert answer["result"] == {"by": actor, "proof": encoded.hex()}
        else:
            assert answer["error"]["kind"] == "RoleError"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda door: door.signed("do.see", STRANGER), "UntrustedError"),
        (lambda door: door.signed("do.see", DORA, domain="away"), "UntrustedError"),
        (lambda door: door.signed("do.see", DORA, challenge=b"\xff" * 16), "UntrustedError"),
        (lambda door: door.signed("do.see", DORA)[:-1], "DecodeError"),
        (lambda door: door.signed("do.see", DORA)[:-1] + b"\x00", "AuthenticationError"),
        (lambda _door: b"", "DecodeError"),
        (lambda _door: "not base64!", "ConfigError"),
    ],
)
def test_what_is_not_signed_by_somebody_here_for_us_is_refused_and_counted(make, kind):
    door = Door()
    assert door.send(make(door))["error"]["kind"] == kind
    assert len(door.refused) == 1


def test_a_request_is_good_once_and_for_a_minute():
    door = Door()
    encoded = door.signed("do.see", DORA)
    assert "result" in door.send(encoded)
    assert door.send(encoded)["error"]["reason"] == "replay"
    late = door.signed("do.see", DORA)
    door.site.clock.seconds = 60.0
    assert door.send(late)["error"]["reason"] == "replay"


def test_a_forged_answer_does_not_spend_the_challenge_of_another():
    door = Door()
    challenge = door.challenge()
    door.send(door.signed("do.see", STRANGER, challenge))
    assert "result" in door.send(door.signed("do.see", DORA, challenge))


def test_open_challenges_are_bounded_and_the_oldest_gives_way():
    door = Door()
    first = door.challenge()
    rest = [door.challenge() for _ in range(256)]
    assert door.send(door.signed("do.see", DORA, first))["error"]["reason"] == "replay"
    assert "result" in door.send(door.signed("do.see", DORA, rest[0]))


def test_a_revoked_installer_is_nobody():
    door = Door()
    encoded = door.signed("do.admit", BEN)
    door.site.revoke()
    assert door.send(encoded)["error"]["reason"] == "operator"


def test_a_signature_beside_anything_else_is_no_request():
    door = Door()
    asked = {"signed": "x", "operation": "do.own"}
    answer = asyncio.run(door.gate.answer_member(asked, 1001))
    assert answer["error"]["kind"] in {"RoleError", "ConfigError"}
