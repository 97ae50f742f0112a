import pytest

from thingstead.endpoint.config import StreamConfig
from thingstead.endpoint.connections import Connections
from thingstead.errors import StateError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.tcp_signal import Csm, encode_signal

CSM = tcp.encode(encode_signal(Csm()))


def table(**changes):
    return Connections(StreamConfig(**{"max_connections": 3, "max_connections_per_host": 2, **changes}))


def hosts(*numbers):
    return [(f"192.0.2.{number}", 1) for number in numbers]


@pytest.mark.requirement("R-51")
def test_connections_of_one_host_are_bounded_and_hurt_no_other():
    connections = table()
    for port in (1, 2):
        connections.add(("192.0.2.1", port), 0.0)
    for address in (("192.0.2.1", 3), ("192.0.2.1", 1)):
        with pytest.raises(StateError):
            connections.add(address, 0.0)
    connections.add(("192.0.2.2", 1), 0.0)
    connections.drop(("192.0.2.1", 1))
    connections.add(("192.0.2.1", 3), 0.0)


@pytest.mark.requirement("R-51")
def test_the_stranger_that_is_silent_longest_gives_way():
    connections = table()
    first, second, third, fourth = hosts(1, 2, 3, 4)
    for now, address in enumerate((first, second, third)):
        connections.add(address, float(now))
    connections.receive(CSM, first, 5.0)
    connections.add(fourth, 6.0)
    assert connections.over() == [second]
    assert connections.find(second).error.reason == "connections"


@pytest.mark.requirement("R-51")
def test_who_has_proved_itself_gives_way_to_nobody():
    connections = table()
    for address in hosts(1, 2, 3):
        connections.add(address, 0.0)
        connections.prove(address)
    with pytest.raises(StateError):
        connections.add(*hosts(4), 1.0)
    assert connections.over() == []


def test_one_that_is_over_takes_no_room_and_is_not_ended_twice():
    connections = table(max_connections=1)
    first, second, third = hosts(1, 2, 3)
    connections.add(first, 0.0)
    connections.add(second, 1.0)
    connections.add(third, 2.0)
    assert sorted(connections.over()) == [first, second]
    assert connections.drop(first) is not None
    assert connections.drop(first) is None


def test_each_connection_has_its_own_deadline():
    connections = table()
    first, second = hosts(1, 2)
    connections.add(first, 0.0)
    connections.add(second, 5.0)
    connections.receive(CSM, first, 6.0)
    assert connections.next_deadline() == 10.0
    connections.expire(10.0)
    assert (connections.over(), connections.next_deadline()) == ([], 15.0)
    connections.expire(15.0)
    assert connections.over() == [second]
    assert connections.next_deadline() == 606.0
    connections.drop(first)
    assert connections.next_deadline() is None


def test_a_message_that_has_begun_brings_the_deadline_forward():
    connections = table()
    (first,) = hosts(1)
    connections.add(first, 0.0)
    connections.receive(CSM, first, 0.0)
    connections.expire(10.0)
    assert connections.next_deadline() == 600.0
    connections.receive(b"\x20", first, 20.0)
    assert connections.next_deadline() == 50.0


def test_nothing_is_sent_where_nobody_is():
    connections = table()
    with pytest.raises(StateError):
        connections.send(b"", *hosts(1))
    connections.prove(*hosts(1))
    assert (connections.receive(CSM, hosts(1)[0], 0.0), connections.take_bytes(), len(connections)) == ([], [], 0)
