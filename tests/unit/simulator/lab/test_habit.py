from random import Random

from tests.unit.simulator.lab.people import cast
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.oscore.option import decode_option
from thingstead.simulator.lab.habit import allowed, cloud_name, live
from thingstead.simulator.lab.script import Datagram, Raw, Talk

THOSE = cast("camera", "lamp")
CAMERA = THOSE.things[0]


def life(seconds=1200.0):
    return list(live(THOSE, CAMERA, Random(1), seconds=seconds))


def test_everything_a_thing_does_of_its_own_accord_is_in_its_rules():
    rules = {(str(rule.remote), rule.remote_ports[0]) for rule in allowed(THOSE, CAMERA)}
    done = {(f"{act.to[0]}/32", act.to[1]) for _, act in life() if not isinstance(act, Raw)}
    assert done == rules


def test_a_report_follows_the_question_where_to():
    questions = [at for at, act in life() if isinstance(act, Datagram) and act.to[1] == 53]
    reports = [at for at, act in life() if isinstance(act, Talk)]
    assert len(questions) == len(reports) > 10
    assert all(before < after for before, after in zip(questions, reports, strict=True))


def test_no_partial_iv_is_used_twice():
    said = [coap.decode(act.payload) for _, act in life() if isinstance(act, Datagram) and act.to[1] == 5683]
    numbers = [decode_option(one.option(OptionNumber.OSCORE) or b"").partial_iv for one in said]
    assert len(set(numbers)) == len(numbers) > 10


def test_a_name_is_an_example_name():
    assert cloud_name("lamp").endswith(".example")
