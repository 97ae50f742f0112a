"""Where an owner says nothing, releases are judged strictly."""

from thingstead.domain.release_policy import (
    STRICT,
    Concern,
    Device,
    ReleasePolicy,
    Severity,
    Stance,
    VulnerabilityPolicy,
)


def test_nothing_is_allowed_of_itself():
    policy = ReleasePolicy()
    assert {policy.stance(one) for one in Concern} == {Stance.HOLD, Stance.REFUSE}
    assert STRICT.keys() == set(Concern)


def test_an_owner_says_otherwise_for_each_concern():
    policy = ReleasePolicy({Concern.SBOM_MISSING: Stance.ALLOW})
    assert policy.stance(Concern.SBOM_MISSING) is Stance.ALLOW
    assert policy.stance(Concern.SECRET) is Stance.REFUSE


def test_the_first_device_that_names_a_model_counts():
    policy = ReleasePolicy(devices=(Device(("LX-1",), "C1"), Device(("LX-*",), "C2")))
    assert [getattr(policy.device(model), "device_class", None) for model in ("LX-1", "LX-2", "TH-1")] == [
        "C1",
        "C2",
        None,
    ]


def test_what_is_critical_is_put_in_quarantine_and_everything_is_told():
    assert VulnerabilityPolicy() == VulnerabilityPolicy(Severity.CRITICAL, Severity.LOW)
