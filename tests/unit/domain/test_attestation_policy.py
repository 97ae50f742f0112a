from datetime import timedelta

from thingstead.domain.attestation_policy import AttestationPolicy, Waits


def test_nothing_waits_unless_the_owner_says_so_and_then_for_the_models_named():
    assert AttestationPolicy().require == frozenset()
    policy = AttestationPolicy(frozenset({Waits.TOKENS}), timedelta(hours=1), ("LX-*",))
    assert policy.covers("LX-1")
    assert not policy.covers("TH-2")
