"""What an owner writes of releases is read whole, or refused."""

import pytest

from thingstead.domain.release_policy import STRICT, Concern, Device, Severity, Stance, VulnerabilityPolicy
from thingstead.errors import ConfigError
from thingstead.storage.policy_file import parse_policy

WRITTEN = """
[release]
network_grows = "refuse"
sbom_missing = "allow"

[[release.device]]
models = ["LX-*"]
class = "C2"
links = ["802.15.4", "BLE"]
max_hours = 4

[vulnerability]
quarantine_from = "never"
ticket_from = "high"
"""


def test_what_is_written_counts_and_the_rest_is_strict():
    policy = parse_policy(WRITTEN)
    assert policy.release.stance(Concern.NETWORK_GROWS) is Stance.REFUSE
    assert policy.release.stance(Concern.SBOM_MISSING) is Stance.ALLOW
    assert policy.release.stance(Concern.SIGNATURE_ENDS) is STRICT[Concern.SIGNATURE_ENDS]
    assert policy.release.devices == (Device(("LX-*",), "C2", ("802.15.4", "BLE"), 4.0),)
    assert policy.vulnerability == VulnerabilityPolicy(None, Severity.HIGH)


def test_a_policy_of_yesterday_is_strict():
    policy = parse_policy("")
    assert {policy.release.stance(one) for one in Concern} == {Stance.HOLD, Stance.REFUSE}
    assert policy.vulnerability == VulnerabilityPolicy()


@pytest.mark.parametrize(
    "text",
    [
        '[release]\nnetwork_grows = "perhaps"\n',
        "[release]\nnetwork_grows = true\n",
        '[release]\nimage_too_large = "hold"\n',
        '[[release.device]]\nclass = "C2"\n',
        '[[release.device]]\nmodels = ["LX"]\nclass = "C9"\n',
        '[[release.device]]\nmodels = ["LX"]\nlinks = ["carrier pigeon"]\n',
        '[[release.device]]\nmodels = ["LX"]\nmax_hours = 0\n',
        '[vulnerability]\nquarantine_from = "sometimes"\n',
        '[vulnerability]\nticket_from = "never"\n',
    ],
)
def test_what_makes_no_sense_is_refused(text):
    with pytest.raises(ConfigError):
        parse_policy(text)
