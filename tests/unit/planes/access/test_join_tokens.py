"""Both tokens of a join are for one audience and one holder each, and are found again by hash."""

import random
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, UntrustedError
from thingstead.planes.access.join_tokens import JoinTokens, Proposal
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.profile import path
from thingstead.secret import Secret

KEY, HOLDER, THING_KEY, OTHER = (generate(KeyType.P256) for _ in range(4))
THING = a_thing(1).id
CLOCK = JumpingClock()
OSCORE = OscoreParameters(
    Secret(bytes(16)), bytes(8), b"\x01", b"\x02", AlgorithmId.AES_CCM_16_64_128, AlgorithmId.SHA_256
)


def tokens(key=KEY, domain="home"):
    return JoinTokens(
        key,
        domain=domain,
        holder=HOLDER.public,
        clock=CLOCK,
        random_bytes=random.Random(1).randbytes,
        validity=timedelta(days=30),
    )


HOLDING = tokens().issue(THING, Proposal(THING_KEY.public, OSCORE, Scope({"/senml": 2}), Scope({"/light": 4})))


def test_the_things_token_holds_what_membership_is_beside_what_was_proposed():
    read = tokens().authenticate(HOLDING)
    assert (read.audience, read.subject, read.public) == ("home", THING, THING_KEY.public)
    assert read.scope.grants["/senml"] == 2
    assert path.TRL in read.scope.grants


def test_the_domains_token_is_for_the_thing_and_holds_what_was_granted():
    read = token.authenticate(
        HOLDING.granted_token,
        KEY.public,
        accept=frozenset({int(AlgorithmId.ESP256)}),
        at=CLOCK.utc(),
        issuer="home",
        audience=THING,
        presenter=HOLDER.public,
    )
    assert read.scope == Scope({"/light": 4})


def test_each_is_found_by_its_hash():
    found = tokens().of(THING, HOLDING)
    assert found[token.token_hash(HOLDING.access_token)].audience == "home"
    assert found[token.token_hash(HOLDING.granted_token)].audience == THING


@pytest.mark.parametrize(
    ("key", "domain", "error"), [(OTHER, "home", AuthenticationError), (KEY, "elsewhere", UntrustedError)]
)
def test_what_another_server_issued_is_not_read(key, domain, error):
    with pytest.raises(error):
        tokens(key, domain).authenticate(HOLDING)
