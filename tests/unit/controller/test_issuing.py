"""All that issues with one key has it, and its domain's name."""

from datetime import timedelta

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.access.test_authorization_server import Live, SlowRecords
from thingstead.controller.issuing import Issuing
from thingstead.crypto.key import KeyType, generate
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.relying_party import RelyingParties

KEY = generate(KeyType.P256)


def test_they_share_key_and_domain():
    issuing = Issuing("home", KEY, JumpingClock(), bytes)
    tokens = IssuedTokens(SlowRecords(), clock=issuing.clock)

    async def nobody(_thing, _message):
        raise AssertionError("nobody is asked")

    day = timedelta(days=1)
    parties = RelyingParties(nobody)
    server = issuing.server(SlowRecords(), Live(), tokens, parties, holder=KEY.public, validity=day)
    issuer, permits = issuing.issuer(tokens, server), issuing.permits(tokens, SlowRecords())
    assert {issuer._domain, permits._domain, server._domain} == {"home"}
    assert issuer._key is permits._key is KEY
