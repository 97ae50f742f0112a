import asyncio

import pytest

from thingstead.errors import TransportError
from thingstead.transport.resolver import HostsResolver


def test_a_name_that_the_owner_gave_is_answered_from_the_settings():
    resolver = HostsResolver({"Cloud.Aurora.example.": ("198.51.100.2",)}, offline=True)
    answer = asyncio.run(resolver.resolve("cloud.aurora.example"))
    assert (answer.addresses, answer.ttl) == (("198.51.100.2",), 60)


@pytest.mark.requirement("R-79")
def test_offline_nobody_is_asked_for_other_names():
    resolver = HostsResolver({}, offline=True)
    with pytest.raises(TransportError, match="nobody may be asked"):
        asyncio.run(resolver.resolve("elsewhere.example"))


def test_online_the_system_is_asked():
    resolver = HostsResolver({}, offline=False, ttl=7)
    answer = asyncio.run(resolver.resolve("localhost"))
    assert "127.0.0.1" in answer.addresses
    assert answer.ttl == 7


def test_a_name_that_nobody_knows_has_no_answer():
    resolver = HostsResolver({}, offline=False)
    with pytest.raises(TransportError, match="no answer"):
        asyncio.run(resolver.resolve("nobody.invalid"))
