"""People are known over a restart, and an installer who goes takes along what they approved."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.test_restoration import composed
from thingstead.controller.people import compose_people
from thingstead.crypto.key import KeyType, generate


@pytest.mark.requirement("R-03")
def test_who_was_delegated_to_is_known_again_by_the_next_controller_on_the_same_store():
    controller = composed()
    installers = controller.people.installers
    expires = controller.foundation.clock.utc() + timedelta(days=1)
    public = generate(KeyType.P256).public
    asyncio.run(installers.add("ben", public, zones=("hall",), classes=(2,), expires=expires, by="owner"))
    again = compose_people(controller.foundation, controller.admission, controller.register)
    assert [one.installer for one in again.installers] == ["ben"]
    asyncio.run(again.installers.revoke("ben", by="owner"))
    assert list(compose_people(controller.foundation, controller.admission, controller.register).installers) == []


def test_requests_are_signed_for_the_domain_by_its_name():
    controller = composed()
    assert controller.people.challenges.domain == controller.foundation.config.domain.name
