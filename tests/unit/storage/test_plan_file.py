from contextlib import suppress
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from thingstead.domain.campaign_plan import EVERYONE, Calendar, Dependency, Hours, Plan, Share, Stage
from thingstead.errors import ConfigError
from thingstead.storage.plan_file import parse_plan
from thingstead.storage.policy_file import parse_policy

WHOLE = """\
# tonight
time_zone = "Europe/Berlin"
canary = ["A-0107", "A-0108"]
stages = [5, "12.5%", "100%"]
soak_hours = 1.5
zone_share = "25%"
windows = ["mon-fri 01:00-05:00", "sat,sun 00:00-24:00"]
quiet = ["fri-mon 22:00-06:00"]
abort = ["5%", 20]
patience_hours = 6
deadline_days = 30

[[after]]
model = "GW-1"
version = "2.0.0"

[[after]]
model = "GW-2"
sequence = 7
same_zone = false
"""
DAY = 24 * 60


def test_a_whole_plan_is_read():
    soak = timedelta(hours=1.5)
    assert parse_plan(WHOLE) == Plan(
        (
            Stage(Share(2), soak, frozenset({"A-0107", "A-0108"})),
            Stage(Share(5), soak),
            Stage(Share(basis=1250), soak),
            Stage(Share(basis=10000), soak),
        ),
        Share(basis=2500),
        Calendar(
            (Hours(frozenset(range(5)), 60, 300), Hours(frozenset({5, 6}), 0, DAY)),
            (Hours(frozenset({4, 5, 6, 0}), 22 * 60, 6 * 60),),
            ZoneInfo("Europe/Berlin"),
        ),
        (Dependency("GW-1", 0, "2.0.0"), Dependency("GW-2", 7, "", same_zone=False)),
        (Share(basis=500), Share(20)),
        timedelta(hours=6),
        timedelta(days=30),
    )


def test_an_empty_plan_is_everybody_at_once():
    assert parse_plan("") == EVERYONE


def test_a_canary_may_be_whoever_asks_first():
    assert parse_plan("canary = 2").stages[0] == Stage(Share(2))


FAULTS = {
    "no TOML": ("\nstages = ]", "line 2"),
    "an unknown key": ('\n\nquite = ["22:00-06:00"]', "line 3"),
    "no list": ("abort = 5", "line 1"),
    "a share of nothing": ('soak_hours = 1\nstages = ["0%", "100%"]', "line 2"),
    "more than everybody": ('stages = ["101%"]', "line 1"),
    "a word for a share": ('stages = ["half", "100%"]', "line 1"),
    "a negative number": ('abort = ["1%", -3]', "line 1"),
    "stages that shrink": ('#\nstages = ["50%", "10%", "100%"]', "line 2"),
    "two stages alike": ('stages = ["50%", "50%", "100%"]', "line 1"),
    "a plan that stops halfway": ('stages = ["50%"]', "line 1"),
    "no stage": ("stages = []", "line 1"),
    "hours of nowhere": ('\nquiet = ["25:00-06:00"]', "line 2"),
    "minutes of nowhere": ('quiet = ["22:60-06:00"]', "line 1"),
    "an end after midnight": ('windows = ["22:00-24:30"]', "line 1"),
    "a word for hours": ('quiet = ["night"]', "line 1"),
    "a day of nowhere": ('quiet = ["someday 22:00-06:00"]', "line 1"),
    "a time zone of nowhere": ('#\n#\ntime_zone = "Mars/Olympus"', "line 3"),
    "no hour that is left": ('quiet = ["00:00-24:00"]', "line 1"),
    "windows in quiet hours": ('quiet = ["22:00-06:00"]\nwindows = ["23:00-05:00"]', "line 2"),
    "a canary twice": ('canary = ["A", "A"]', "line 1"),
    "no canary": ("canary = 0", "line 1"),
    "a negative soak": ("soak_hours = -1", "line 1"),
    "no patience": ("patience_hours = 0", "line 1"),
    "a dependency on anything": ('[[after]]\nmodel = "GW-1"', "line 2"),
    "a dependency on two": ('[[after]]\nmodel = "GW-1"\nversion = "1"\nsequence = 2', "line 2"),
    "a dependency on nobody": ('stages = ["100%"]\n\n[[after]]\nversion = "1"', "line 3"),
    "a second one with a fault": (
        '[[after]]\nmodel = "GW-1"\nversion = "1"\n[[after]]\nmodel = "GW-2"\nversoin = "1"',
        "line 6",
    ),
    "too much": ("#" * (1 << 19), "characters"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_line(name):
    text, where = FAULTS[name]
    with pytest.raises(ConfigError, match=where):
        parse_plan(text)


@pytest.mark.parametrize("place", range(0, len(WHOLE), 3))
def test_a_plan_with_a_byte_less_is_a_plan_or_refused(place):
    with suppress(ConfigError):
        parse_plan(WHOLE[:place] + WHOLE[place + 1 :])


POLICY = """\
profile = "home"

[scope.member]
"/senml" = ["POST"]

[campaign]
stages = ["10%", "100%"]
quiet = ["22:00-06:00"]

[[campaign.after]]
model = "GW-1"
version = "2.0.0"
"""


def test_the_plan_of_a_policy_is_what_releases_without_one_go_by():
    plan = parse_policy(POLICY).plan
    assert plan is not None
    assert (len(plan.stages), plan.after) == (2, (Dependency("GW-1", 0, "2.0.0"),))
    assert parse_policy('profile = "home"').plan is None


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ('"10%"', '"half"', 7),
        ("22:00", "25:00", 8),
        ('version = "2.0.0"', "same_zone = true", 11),
    ],
)
def test_a_fault_in_the_plan_of_a_policy_is_named_with_the_line_of_the_policy(before, after, line):
    with pytest.raises(ConfigError, match=f"policy, line {line}:"):
        parse_policy(POLICY.replace(before, after))


def test_an_unknown_key_in_the_plan_of_a_policy_is_refused():
    with pytest.raises(ConfigError, match="quite"):
        parse_policy(POLICY.replace("quiet", "quite"))
