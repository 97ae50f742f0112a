import pytest

from thingstead.domain.role import OWNER, RIGHTS, Operator, Right, Role


@pytest.mark.requirement("R-06")
def test_each_role_has_its_row_and_only_the_owner_owns():
    assert set(RIGHTS) == set(Role)
    assert [role for role in Role if Operator(role).may(Right.OWN)] == [Role.OWNER]
    assert not any(Operator(Role.MANUFACTURER).may(right) for right in Right)


def test_the_ledger_calls_people_by_role_and_name():
    assert (OWNER.actor, Operator(Role.INSTALLER, "ben").actor) == ("owner", "installer:ben")
