import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.domain.things import a_thing
from thingstead.controller.operation import Operations
from thingstead.controller.operation_traffic import rows
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot


class Domain:
    """Everything that counts, with the counters at hand."""

    def __init__(self, things=0):
        self.server: Any = SimpleNamespace(counters={"malformed": 2})
        self.resources: Any = SimpleNamespace(refused=Counter({"scope": 3}))
        self.bootstrap: Any = SimpleNamespace(half_open=1)
        self.collector: Any = SimpleNamespace(accepted=4)
        self.register = Register(Snapshot(things=tuple(map(a_thing, range(things)))))

    def ask(self, **arguments):
        table = rows(self.server, self.resources, self.bootstrap, self.register, self.collector)
        return asyncio.run(Operations(*table).answer({"operation": "traffic.show", "arguments": arguments}))


@pytest.mark.parametrize("arguments", [{"thing": "x"}, {"all": True}])
def test_nothing_in_particular_can_be_asked_for(arguments):
    assert "takes no arguments" in Domain().ask(**arguments)["error"]["message"]


def test_every_figure_comes_from_who_counts_it():
    assert Domain(things=5).ask()["result"] == {
        "half_open": 1,
        "things": 5,
        "values": 4,
        "requests": {"scope": 3},
        "messages": {"malformed": 2},
    }


def test_what_was_told_does_not_change_when_the_counting_goes_on():
    domain = Domain()
    told = domain.ask()["result"]
    domain.resources.refused["scope"] += 1
    domain.collector.accepted += 1
    assert (told["requests"], told["values"]) == ({"scope": 3}, 4)
    assert domain.ask()["result"]["requests"] == {"scope": 4}
