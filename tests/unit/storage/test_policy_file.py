from datetime import UTC, date, datetime, timedelta

import pytest

from thingstead.domain.attestation_policy import AttestationPolicy, Waits
from thingstead.domain.peer_policy import PeerProfile, PeerRule
from thingstead.domain.policy import JoinPolicy, JoinRule, OwnerPolicy, ProfileName, Rejoin, Verdict
from thingstead.domain.purpose import Purpose
from thingstead.domain.serial import parse_serials
from thingstead.domain.service import Service
from thingstead.errors import ConfigError
from thingstead.protocols.ace.aif import Bounds, Permission, Scope
from thingstead.storage.policy_file import parse_policy

_WHOLE = """
profile = "industrial"

[scope.lamp]
"/telemetry" = ["POST"]
"/fw" = ["GET", "FETCH"]

[[rule]]
name = "lamps"
makers = ["acme", "beta"]
models = ["LX-*"]
serials = ["A?"]
zone = "floor-1"
scope = "lamp"
until = 2027-01-01T01:00:00+01:00

[[rule]]
name = "rest of acme"
makers = ["acme"]
verdict = "hold"
"""


_PEERS = """
[scope.light]
"/light" = ["PUT"]

[[peer]]
name = "switches"
clients = ["SW-*"]
servers = ["LX-*", "LY-?"]
scope = "light"
hours = 12
"""


@pytest.mark.requirement("R-57")
def test_what_things_may_do_at_each_other_is_read_and_stays_in_one_zone_unless_it_says_so():
    (rule,) = parse_policy(_PEERS).peers
    scope = Scope({"/light": int(Permission.PUT)})
    assert rule == PeerRule("switches", ("SW-*",), ("LX-*", "LY-?"), scope, timedelta(hours=12), same_zone=True)
    (rule,) = parse_policy(f"{_PEERS}same_zone = false").peers
    assert not rule.same_zone


@pytest.mark.requirement("R-57")
def test_how_things_meet_and_whether_the_servers_know_the_time_is_read():
    (rule,) = parse_policy(f'{_PEERS}profile = "oscore"\nclock = false').peers
    assert (rule.profile, rule.has_clock) == (PeerProfile.OSCORE, False)
    (rule,) = parse_policy(_PEERS).peers
    assert (rule.profile, rule.has_clock) == (PeerProfile.EDHOC, True)


@pytest.mark.requirement("R-16")
def test_a_scope_may_bound_what_it_lets_a_thing_set():
    bounded = '"/light/level" = { methods = ["PUT"], lowest = 10, highest = 60, changes_per_minute = 6 }'
    (rule,) = parse_policy(_PEERS.replace("[scope.light]", f"[scope.light]\n{bounded}")).peers
    assert rule.scope.grants["/light/level"] == int(Permission.PUT)
    assert rule.scope.bounds_of("/light/level") == Bounds(10, 60, 6)
    assert rule.scope.bounds_of("/light") == Bounds()


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize(
    "bounds",
    [
        "lowest = 10",
        'methods = ["PUT"], lowest = 10, highest = 9',
        'methods = ["PUT"], lowest = "10"',
        'methods = ["PUT"], lowest = 1.5',
        'methods = ["PUT"], changes_per_minute = -1',
        'methods = ["PUT"], changes_per_hour = 1',
        'methods = ["LIFT"], lowest = 10',
        "methods = []",
    ],
)
def test_bounds_that_say_nothing_or_too_much_are_refused(bounds):
    with pytest.raises(ConfigError):
        parse_policy(_PEERS.replace("[scope.light]", f'[scope.light]\n"/light/level" = {{ {bounds} }}'))


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        ("hours = 12", 'hours = 12\nprofile = "dtls"'),
        ("hours = 12", 'hours = 12\nclock = "no"'),
        ('scope = "light"\nhours', 'scope = "door"\nhours'),
        ("hours = 12", ""),
        ("hours = 12", "hours = 0"),
        ("hours = 12", "hours = 9000"),
        ("hours = 12", 'hours = 12\nservants = ["x"]'),
    ],
)
def test_a_rule_about_peers_that_is_not_whole_is_refused(what, instead):
    assert what in _PEERS
    with pytest.raises(ConfigError):
        parse_policy(_PEERS.replace(what, instead))


def test_a_whole_policy_is_read_as_it_is_written():
    scope = Scope({"/telemetry": int(Permission.POST), "/fw": int(Permission.GET | Permission.FETCH)})
    until = datetime(2027, 1, 1, tzinfo=UTC)
    lamps = JoinRule(
        "lamps", ("acme", "beta"), ("LX-*",), parse_serials(["A?"]), Verdict.ADMIT, "floor-1", "lamp", until=until
    )
    rest = JoinRule("rest of acme", ("acme",), ("*",), parse_serials(["*"]), Verdict.HOLD, "", "")
    assert parse_policy(_WHOLE).join == JoinPolicy(ProfileName.INDUSTRIAL, {"lamp": scope}, (lamps, rest))


def test_an_empty_file_is_a_policy_that_admits_nothing():
    assert parse_policy("") == OwnerPolicy(JoinPolicy(ProfileName.HOME), granted=Scope({}))


def test_rights_of_the_domain_and_purposes_of_series_are_read():
    policy = parse_policy(
        "[granted]\n'/light' = ['PUT']\n[[series]]\nname = 'power'\npurpose = 'find faults'\nretention_days = 0.5\n"
    )
    assert policy.granted == Scope({"/light": int(Permission.PUT)})
    assert policy.purposes == (Purpose("power", "find faults", timedelta(hours=12)),)


def test_software_with_which_a_thing_joins_anew_is_read():
    policy = parse_policy("[[rejoin]]\nmodels = ['LX-*']\nversions = ['2.*', '3.0.0']\n[[rejoin]]\nversions = ['9']\n")
    assert policy.join.rejoin == (Rejoin(("LX-*",), ("2.*", "3.0.0")), Rejoin(("*",), ("9",)))


@pytest.mark.parametrize("text", ["[[rejoin]]\nmodels = ['*']\n", "[[rejoin]]\nversions = '2'\n", "rejoin = ['2.*']\n"])
def test_a_list_of_software_without_versions_is_refused(text):
    with pytest.raises(ConfigError, match="cannot be read"):
        parse_policy(text)


_SERIES = "[[series]]\nname = 'power'\npurpose = 'find faults'\nretention_days = 1\n"


def test_what_a_series_needs_and_what_gives_it_are_read():
    needs = "every_seconds = 60\nstale_after_seconds = 5\nneeds = ['availability', 'staleness-detection']\n"
    (purpose,) = parse_policy(_SERIES + needs).purposes
    assert (purpose.every, purpose.stale_after) == (timedelta(seconds=60), timedelta(seconds=5))
    assert purpose.needs == frozenset({Service.AVAILABILITY, Service.STALENESS_DETECTION})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_SERIES + "needs = ['availability']\n", "needs availability, which takes `every_seconds`"),
        (_SERIES + "needs = ['luck']\n", "Invalid enum value 'luck'"),
        (_SERIES + "every_seconds = 0\n", "Expected `float` > 0"),
        (_SERIES + "stale_after_seconds = -1\n", "Expected `float` > 0"),
        ("profile home", "line 1"),
        ("profile = 'palace'", "'palace'"),
        ("rules = []", "`rules`"),
        ("rule = [{name = 'a'}]", "`makers`"),
        ("rule = [{name = 'a', makers = ['b'], verdict = 'maybe'}]", r"\$.rule\[0\].verdict"),
        ("rule = [{name = 'a', makers = 'b', scope = 's'}]", r"\$.rule\[0\].makers"),
        ("rule = [{name = 'a', makers = ['b'], serial = ['c']}]", "`serial`"),
        ("rule = [{name = 'a', makers = ['b']}]", "scope ''; the policy has: none"),
        ("rule = [{name = 'a', makers = ['b'], scope = 'x'}]\n[scope.s]\n'/t' = ['GET']", "the policy has: s"),
        ("rule = [{name = 'a', makers = ['b'], verdict = 'hold', until = 2027-01-01T00:00:00}]", "offset"),
        ("rule = [{name = 'a', makers = ['b'], verdict = 'hold', scope = 'x'}]", "the policy has: none"),
        (
            "rule = [{name = 'a', makers = ['b'], verdict = 'hold', since = 0001-01-01T00:00:00+01:00}]",
            "between the years",
        ),
        ("rule = [{name = 'a', makers = ['b'], verdict = 'hold', count = 0}]", "count"),
        ("rule = [{name = 'a', makers = ['b'], verdict = 'hold', bill = 'x'}]", "one of the bills none; not 'x'"),
        (
            "rule = [{name = 'a', makers = ['b'], verdict = 'hold', bill = 'x', serials = ['1']}]\n[bill]\nx = ['1']",
            "serials",
        ),
        ("[bill]\nx = ['A*']", "names each serial"),
        ("[bill]\nx = ['A1..B2']", "expected a range"),
        (
            "rule = [{name = 'a', makers = ['b'], verdict = 'hold'}, {name = 'a', makers = ['c'], verdict = 'hold'}]",
            "names",
        ),
        (f"rule = [{{name = '{'a' * 256}', makers = ['b'], verdict = 'hold'}}]", "name"),
        ("#" * (1 << 20) + "#", "at most"),
        ("a = " + "[" * 100_000, "cannot be read"),
        ("[[series]]\nname = 'a'\npurpose = 'b'\nretention_days = 1e300", "retention_days"),
        ("[scope.s]\n'/t' = ['BREW']", "BREW"),
        ("[scope.s]\n'/t' = []", "'/t'"),
        ("[granted]\n't' = ['GET']", "'t'"),
        ("[[series]]\nname = 'a'\npurpose = 'b'", "`retention_days`"),
        ("[[series]]\nname = 'a'\npurpose = 'b'\nretention_days = 0", "retention_days"),
        ("[scope.s]\n't' = ['GET']", "'t'"),
        ("[scope.s]\n'/t' = 'GET'", r"\$.scope"),
    ],
)
def test_what_is_wrong_in_a_policy_is_named(text, said):
    with pytest.raises(ConfigError, match=said):
        parse_policy(text)


@pytest.mark.parametrize("text", ["approve_each = 1", 'approve_each = "yes"', "[granted]\napprove_each = true"])
def test_approval_of_each_is_true_or_false_at_the_top(text):
    with pytest.raises(ConfigError):
        parse_policy(text)


def test_each_may_have_to_be_approved():
    assert parse_policy("approve_each = true").join.approve_each
    assert not parse_policy("").join.approve_each


def test_windows_counts_ranges_and_bills_are_read():
    policy = parse_policy(
        "[bill]\nfloor-1 = ['A-0107', 'A-0001..A-0100']\n"
        "[[rule]]\nname = 'lamps'\nmakers = ['acme']\nverdict = 'hold'\nbill = 'floor-1'\ncount = 7\n"
        "since = 2026-12-01T00:00:00+01:00\n"
        "[[rule]]\nname = 'more'\nmakers = ['acme']\nverdict = 'hold'\nserials = ['B-1..B-9', 'C*', 'D-1']\n"
    )
    lamps, more = policy.join.rules
    assert (lamps.bill, lamps.count, lamps.since) == ("floor-1", 7, datetime(2026, 11, 30, 23, tzinfo=UTC))
    assert lamps.serials == parse_serials(["A-0107", "A-0001..A-0100"], each=True)
    assert more.serials == parse_serials(["B-1..B-9", "C*", "D-1"])


_HEAD = '[scope.s]\n"/t" = ["GET"]\n[[rule]]\nname = "r"\nmakers = ["acme"]\nscope = "s"\n'


@pytest.mark.parametrize(
    "line",
    [
        "models = [" + '"a",' * 257 + "]",
        "count = " + "9" * 5000,
        "count = 0",
        "count = -1",
        "count = 1.0",
        "count = true",
        "since = 2026-10-25T02:30:00",
        "since = 2026-10-25",
        "since = 02:30:00",
        "since = 2026-12-31T23:59:60Z",
        "since = 2026-02-29T00:00:00Z",
        "until = 9999-12-31T23:59:59-01:00",
        "since = 0001-01-01T00:00:00+01:00",
        'serials = ["A9..A1"]',
        'serials = ["A1..A10"]',
        'serials = ["A1..B2"]',
        'serials = ["..", "A"]',
        'serials = ["A0000000000000000000..A9999999999999999999"]',
        "a = " + "[" * 50_000,
    ],
    ids=lambda line: line[:40],
)
def test_a_rule_that_nobody_can_mean_is_refused(line):
    with pytest.raises(ConfigError):
        parse_policy(_HEAD + line)


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset():
    (summer,) = parse_policy(_HEAD + "since = 2026-10-25T02:30:00+02:00").join.rules
    (winter,) = parse_policy(_HEAD + "since = 2026-10-25T02:30:00+01:00").join.rules
    assert winter.since is not None
    assert summer.since is not None
    assert winter.since - summer.since == timedelta(hours=1)


def test_names_are_compared_letter_by_letter_whatever_they_look_like():
    (rule,) = parse_policy(_HEAD.replace("acme", "\u0430cme")).join.rules
    assert rule.makers != ("acme",)


@pytest.mark.requirement("R-76")
def test_the_owners_dates_of_algorithms_are_read():
    text = '[crypto]\nquantum_year = 2031\n[crypto.sunset]\n"AES-CCM-16-64-128" = 2029-12-31\n'
    crypto = parse_policy(text).crypto
    assert crypto.quantum_year == 2031
    assert crypto.sunsets == {"AES-CCM-16-64-128": date(2029, 12, 31)}


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize(
    "text",
    [
        '[crypto.sunset]\n"ESP256" = 2040-01-01\n',
        '[crypto.sunset]\n"DES" = 2030-01-01\n',
        '[crypto.sunset]\n"ESP256" = "soon"\n',
        '[crypto.sunset]\n"ESP256" = 2030\n',
        "[crypto]\nquantum_year = 1999\n",
        "[crypto]\nforbid = []\n",
    ],
)
def test_dates_of_algorithms_that_are_none_are_refused(text):
    with pytest.raises(ConfigError):
        parse_policy(text)


def test_what_waits_for_evidence_is_read_and_nothing_waits_by_default():
    assert parse_policy("").attestation == AttestationPolicy()
    text = "[attestation]\nrequire = ['tokens', 'updates']\nmax_age_hours = 2\nmodels = ['LX-*']\n"
    waits = frozenset({Waits.TOKENS, Waits.UPDATES})
    assert parse_policy(text).attestation == AttestationPolicy(waits, timedelta(hours=2), ("LX-*",))


@pytest.mark.parametrize("line", ["require = ['credentials']", "max_age_hours = 0", "models = 'LX'", "fresh = true"])
def test_attestation_that_is_none_is_refused(line):
    with pytest.raises(ConfigError):
        parse_policy(f"[attestation]\n{line}\n")
