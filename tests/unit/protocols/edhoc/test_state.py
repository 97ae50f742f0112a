import pytest

from thingstead.errors import StateError
from thingstead.protocols.edhoc.state import Patient, SingleUse


class Held:
    pass


def test_state_is_used_once():
    state = SingleUse(Held())
    state._spend()
    with pytest.raises(StateError):
        state._spend()


def test_spent_state_refers_to_no_secret():
    state = SingleUse(Held())
    state._spend()
    assert state._held is None


@pytest.mark.spec("RFC 9528 9.7")
def test_patience_ends():
    state = Patient(Held(), patience=2)
    first = state._try()
    assert state._try() is first
    with pytest.raises(StateError):
        state._try()
    assert state._held is None


def test_patient_state_is_used_once_too():
    state = Patient(Held(), patience=2)
    state._try()
    state._spend()
    with pytest.raises(StateError):
        state._try()
