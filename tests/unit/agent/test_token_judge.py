"""Which tokens count at a light: of its domain, for it, in time, not revoked, and fresh where it wants that."""

from datetime import timedelta
from typing import cast

import pytest

from tests.unit.agent.peers import ISSUER, LIGHT, MEMBER, SWITCH, TOKEN_KEY, Light
from thingstead.agent.exi_book import EXI
from thingstead.agent.membership import Member
from thingstead.agent.token_judge import TokenJudge
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    SecurityError,
    StateError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.ace import exi, sealed_token
from thingstead.protocols.ace.aif import Bounds, Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cwt import token as cwt
from thingstead.secret import Secret

pytestmark = [pytest.mark.requirement("R-35"), pytest.mark.requirement("R-57"), pytest.mark.spec("RFC 9200 5.10.1.1")]
_OTHER = generate(KeyType.P256)
_OTHER_KEY = Secret(bytes(range(1, 17)))


def judged(light, encoded):
    return light.judge.judge(encoded, light.clock.seconds)


@pytest.fixture(params=[True, False], ids=["by key", "by secret"])
def show(request):
    """Issues a token of either kind."""
    return (lambda light, **changes: light.issue(**changes)) if request.param else _sealed


def _sealed(light, *, token_key=TOKEN_KEY, **changes):
    return light.issue_sealed(token_key=token_key, **changes)


@pytest.fixture
def light():
    return Light()


def test_a_token_that_counts_says_what_and_until_when(light, show):
    found = judged(light, show(light))
    assert (found.rights.subject, found.rights.audience) == (SWITCH, LIGHT)
    assert found.ends == light.clock.utc() + timedelta(hours=1)


def test_bounds_come_with_it(light, show):
    bounded = Scope({"/light/level": 4}, {"/light/level": Bounds(10, 60)})
    assert judged(light, show(light, scope=bounded)).rights.scope == bounded


def _resigned(light, **claims):
    """A token whose signature is right and whose claims no issuer of ours would write."""
    parsed = cwt.decode(light.issue())
    values = dict(parsed.claims.values) | {int(name[1:]): value for name, value in claims.items()}
    said = codec.encode({key: value for key, value in values.items() if value is not None})
    return cwt.CWT_HEAD + sign1.sign(said, ISSUER, signature_id=-9)


_WRONG = {
    "signed by another": (lambda light: light.issue(signer=_OTHER), AuthenticationError),
    "of another issuer": (lambda light: light.issue(issuer="elsewhere"), UntrustedError),
    "for another thing": (lambda light: light.issue(audience=SWITCH), UntrustedError),
    "sealed for another": (lambda light: _sealed(light, token_key=_OTHER_KEY), AuthenticationError),
    "sealed, signed by another": (lambda light: _sealed(light, signer=_OTHER), AuthenticationError),
    "sealed, of another issuer": (lambda light: _sealed(light, issuer="elsewhere"), UntrustedError),
    "sealed, for another thing": (lambda light: _sealed(light, audience=SWITCH), UntrustedError),
    "a secret in clear": (lambda light: sealed_token.unseal(_sealed(light), TOKEN_KEY), DecodeError),
    "a key that is sealed": (lambda light: _seal(light.issue()), DecodeError),
    "sealed twice": (lambda light: _seal(_sealed(light)), DecodeError),
    "nothing that is sealed": (lambda _light: _seal(b""), DecodeError),
    "ended": (lambda light: _at(light, -2, -1), ExpiredError),
    "not begun": (lambda light: _at(light, 1, 2), ExpiredError),
    "empty": (lambda _light: b"", DecodeError),
    "no CWT": (lambda _light: b"\xf6", DecodeError),
    "without a scope": (lambda light: _resigned(light, _9=None), DecodeError),
    "a scope of text": (lambda light: _resigned(light, _9="read"), DecodeError),
    "a scope that nobody enforces": (
        lambda light: _resigned(light, _9=codec.encode([["/x", 1 << 33]])),
        UnsupportedError,
    ),
    "without a holder": (lambda light: _resigned(light, _8=None), DecodeError),
    "with an unknown proof": (lambda light: _resigned(light, _8={99: b""}), UnsupportedError),
    "without an end": (lambda light: _resigned(light, _4=None), DecodeError),
    "without a name": (lambda light: _resigned(light, _7=None), DecodeError),
    "exi of nothing": (lambda light: _resigned(light, _40=0), DecodeError),
    "exi of ages": (lambda light: _resigned(light, _40=1 << 40), DecodeError),
    "exi of text": (lambda light: _resigned(light, _40="60"), DecodeError),
    "a series of text": (lambda light: _resigned(light, _41={0: "series"}), DecodeError),
    "a series of nothing": (lambda light: _resigned(light, _41={}), DecodeError),
}


def _seal(data):
    return sealed_token.seal(data, TOKEN_KEY, nonce=bytes(13))


def _at(light, begin, end):
    now = light.clock.utc()
    return light.issue(at=now + timedelta(hours=begin), expires=now + timedelta(hours=end))


@pytest.mark.parametrize("wrong", _WRONG)
def test_no_other_token_counts(light, wrong):
    make, error = _WRONG[wrong]
    with pytest.raises(error):
        judged(light, make(light))


@pytest.mark.spec("RFC 9200 5.10.1.1")
def test_of_two_faults_the_end_is_told_before_the_audience(light):
    now = light.clock.utc()
    ended = light.issue(audience=SWITCH, at=now - timedelta(hours=2), expires=now - timedelta(hours=1))
    with pytest.raises(ExpiredError):
        judged(light, ended)


@pytest.mark.spec("RFC 9770 11.1")
def test_a_revoked_token_does_not_count(light, show):
    shown = show(light)
    light.revoke(shown)
    with pytest.raises(UntrustedError, match="revoked"):
        judged(light, shown)


def test_who_is_in_no_domain_takes_none(light, show):
    shown = show(light)
    light.judge.leave()
    with pytest.raises(StateError):
        judged(light, shown)


def _counted(light, number=7, seconds=60, **changes):
    return light.issue(cti=exi.token_id(LIGHT, number), exi=seconds, **changes)


@pytest.fixture
def timeless():
    return Light(has_clock=False)


@pytest.mark.spec("RFC 9200 5.10.3")
def test_without_a_clock_the_seconds_count_whatever_the_date_says(timeless):
    found = judged(timeless, _counted(timeless))
    assert (found.ends - timeless.time.utc()).total_seconds() == 60
    assert int.from_bytes(timeless.disk[EXI], "big") == 7


@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize(
    "wrong",
    [
        lambda light: light.issue(),
        lambda light: light.issue(exi=60),
        lambda light: light.issue(exi=60, cti=exi.token_id(SWITCH, 7)),
        lambda light: _counted(light, signer=_OTHER),
        lambda light: _counted(light, audience=SWITCH),
    ],
    ids=["without exi", "without a number", "with another's number", "of another signer", "for another thing"],
)
def test_without_a_clock_nothing_else_counts_and_nothing_is_kept_of_it(timeless, wrong):
    with pytest.raises((SecurityError, DecodeError)):
        judged(timeless, wrong(timeless))
    assert EXI not in timeless.disk


@pytest.mark.parametrize("hours", [1, 2])
def test_without_a_clock_what_ended_at_or_before_a_time_that_has_been_does_not_count(timeless, hours):
    timeless.time.witness(timeless.clock.utc() + timedelta(hours=hours))
    with pytest.raises(ExpiredError):
        judged(timeless, _counted(timeless))


@pytest.mark.spec("RFC 9200 5.10.3")
def test_a_token_shows_that_its_time_has_been(timeless):
    now = timeless.clock.utc()
    old = _counted(timeless, number=8, at=now - timedelta(hours=3), expires=now - timedelta(hours=2))
    judged(timeless, _counted(timeless))
    assert timeless.time.utc() == now
    with pytest.raises(ExpiredError, match="expired at"):
        judged(timeless, old)


@pytest.mark.parametrize("changes", [{"signer": _OTHER}, {"issuer": "elsewhere"}, {"audience": SWITCH}])
def test_nobody_else_shows_a_time(timeless, changes):
    with pytest.raises(SecurityError):
        judged(timeless, _counted(timeless, **changes))
    assert timeless.time.utc().year == 1970


@pytest.fixture
def careful():
    return Light(wants_fresh=True)


@pytest.mark.spec("RFC 9200 5.3.1")
def test_a_token_that_brings_back_what_was_given_is_fresh(careful, show):
    cnonce = careful.judge.cnonce(careful.clock.seconds)
    assert judged(careful, show(careful, cnonce=cnonce)).rights.cnonce == cnonce


@pytest.mark.spec("RFC 9200 5.3.1")
@pytest.mark.parametrize("age", [None, 0, 121])
def test_any_other_is_not(careful, show, age):
    cnonce = bytes(12) if age == 0 else careful.judge.cnonce(careful.clock.seconds)
    careful.clock.seconds += age or 0
    with pytest.raises(ExpiredError) as caught:
        judged(careful, show(careful, **({} if age is None else {"cnonce": cnonce})))
    assert caught.value.reason == "cnonce"


def test_what_was_given_before_a_restart_is_not_fresh(careful, show):
    cnonce = careful.judge.cnonce(careful.clock.seconds)
    again = TokenJudge(careful.revocations, None, utc=careful.clock.utc, wants_fresh=True, random_bytes=bytes)
    careful.judge = again
    careful.entitle()
    again.entitle(cast("Member", MEMBER))
    with pytest.raises(ExpiredError):
        judged(careful, show(careful, cnonce=cnonce))


def test_who_does_not_want_that_gives_nothing(light):
    assert light.judge.cnonce(0.0) == b""
