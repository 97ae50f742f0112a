from dataclasses import replace

import pytest

from tests.unit.proxy.ladder import LENT, ORIGINS, STREAM_ORIGIN, TODAY
from thingstead.errors import DecodeError, PolicyError, UnsupportedError
from thingstead.proxy.config import Approach, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.explanation import explain

CONFIG = ProxyConfig(listen=ListenConfig(host="192.0.2.1"), origin=(*ORIGINS, STREAM_ORIGIN))


@pytest.mark.parametrize(
    ("uri", "name", "condition"),
    [
        ("coap://lamp.example/s", "lamp.example", "only what OSCORE protects"),
        ("coap://LEGACY.example/s", "legacy.example", "until 2027-01-31"),
        ("coap+tcp://198.51.100.3/s", "stream.example", "everything"),
    ],
)
def test_it_names_the_origin_and_what_passes(uri, name, condition):
    found = explain(CONFIG, uri, TODAY)
    assert found.origin.name == name
    assert condition in found.condition


def test_what_protects_its_payload_itself_is_told_from_what_oscore_protects():
    origin = OriginConfig(name="a", address="192.0.2.9", approach=Approach.OBJECT_SECURITY)
    told = explain(replace(CONFIG, origin=(origin,)), "coap://a", TODAY).condition
    assert "does not protect itself" in told


@pytest.mark.requirement("R-52")
@pytest.mark.parametrize(
    ("uri", "missing"),
    [
        ("coap://10.0.0.1/", 'name = "10.0.0.1"'),
        ("coap://localhost/", "names are never resolved"),
        ("coap://[ff02::fd]/", "no [[origin]]"),
        ("coap://lamp.example:1/", "coap://lamp.example:5683 alone"),
        ("coap+tcp://lamp.example/", 'port = 5683 and scheme = "coap+tcp"'),
        ("coaps://lamp.example/", "does not speak coaps"),
        ("coap://stream.example/", 'scheme = "coap"'),
    ],
)
def test_it_says_what_is_missing(uri, missing):
    with pytest.raises(PolicyError) as refused:
        explain(CONFIG, uri, TODAY)
    assert missing in str(refused.value)
    assert refused.value.reason == "route"


def test_a_flow_that_has_ended_is_no_way_though_its_origin_is_known():
    ended = OriginConfig(name="a", address="192.0.2.9", **{**LENT, "exception_until": TODAY.replace(year=2020)})
    with pytest.raises(PolicyError, match="run out"):
        explain(replace(CONFIG, origin=(ended,)), "coap://a", TODAY)


@pytest.mark.parametrize(("uri", "error"), [("lamp.example", DecodeError), ("http://lamp.example", UnsupportedError)])
def test_what_is_no_uri_of_coap_is_said_to_be_none(uri, error):
    with pytest.raises(error):
        explain(CONFIG, uri, TODAY)
