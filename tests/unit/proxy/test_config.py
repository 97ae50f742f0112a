import pytest

from thingstead.errors import ConfigError
from thingstead.proxy.config import Approach, ProxyConfig
from thingstead.storage.settings import parse

ORIGIN = '[[origin]]\nname = "lamp.example"\naddress = "127.0.0.5"\n'


def test_an_origin_is_protected_end_to_end_unless_it_says_otherwise():
    (origin,) = parse(ORIGIN, ProxyConfig).origin
    assert (origin.approach, origin.port, origin.reverse) == (Approach.SELECTIVE_PROTECTION, 5683, False)


def test_one_name_may_be_reached_by_two_schemes_and_an_address_has_one_spelling():
    text = '[listen]\nhost = "::1"\n' + ORIGIN.replace("127.0.0.5", "0:0:0::1")
    first, second = parse(text + ORIGIN.replace("127.0.0.5", "::1") + 'scheme = "coap+tcp"', ProxyConfig).origin
    assert first.address == second.address == "::1"


def test_a_proxy_has_a_name_though_it_was_given_none():
    assert parse("", ProxyConfig).listen.identifier == "127.0.0.1:5690"
    assert parse('[listen]\nhost = "::1"', ProxyConfig).listen.identifier == "[::1]:5690"
    assert parse('[listen]\nname = "gate"', ProxyConfig).listen.identifier == "gate"


def test_without_origins_it_goes_nowhere_and_serves_this_machine_alone():
    config = parse("", ProxyConfig)
    assert config.origin == ()
    assert config.clients.networks == ("127.0.0.0/8",)


@pytest.mark.requirement("R-53")
@pytest.mark.parametrize(
    "text",
    [
        'approach = "shared-credentials"',
        'approach = "shared-credentials"\nexception_until = 2027-01-31',
        'approach = "shared-credentials"\nexception_reason = "old"',
    ],
)
def test_sharing_credentials_needs_an_end_and_a_reason(text):
    with pytest.raises(ConfigError, match="needs exception_until"):
        parse(ORIGIN + text, ProxyConfig)
    parse(
        ORIGIN + 'approach = "shared-credentials"\nexception_until = 2027-01-31\nexception_reason = "old"', ProxyConfig
    )


@pytest.mark.requirement("R-53")
@pytest.mark.parametrize("approach", ["same-wire-format", "homomorphic-encryption", "transformation-proof-mac"])
def test_an_approach_that_it_cannot_keep_is_refused(approach):
    with pytest.raises(ConfigError, match=f"cannot do {approach}"):
        parse(ORIGIN + f'approach = "{approach}"', ProxyConfig)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[origin]]\nname = "a"\naddress = "lamp.example"\n', "IP address"),
        (ORIGIN + "port = 0", "port of 1"),
        (ORIGIN + ORIGIN, "once"),
        (ORIGIN + 'approach = "trust"', "trust"),
        (ORIGIN + "speed = 3", "no setting 'speed'"),
        ('[listen]\nhost = "here"', "IP address"),
        ('[clients]\nnetworks = ["everybody"]', "IP networks"),
        ('[clients]\nverified = ["192.0.2.1/8"]', "IP networks"),
        ("[limits]\nhop_limit = 0", "hop_limit of 1 to 255, got 0"),
        ("[limits]\nmax_requests = 0", "max_requests"),
        ("[limits]\norigin_seconds = nan", "origin_seconds"),
        ("[cache]\nmax_bytes = -1", "max_bytes"),
        ("[clients]\nmax_addresses = 0", "max_addresses"),
        ("[clients]\nrequests_per_second = inf", "requests_per_second"),
        ("[listen]\nport = 65536", "port of 0 to 65535, got 65536"),
        (ORIGIN.replace("127", "192"), "no way from 127.0.0.1 to 192.0.0.5"),
        ('[listen]\nhost = "::1"\n' + ORIGIN, "no way from ::1 to 127.0.0.5"),
        ('[listen]\nport = 5683\nhost = "127.0.0.5"\n' + ORIGIN, "elsewhere"),
        (ORIGIN + 'scheme = "coaps"', "got coaps"),
        (ORIGIN + 'scheme = "http"', "http"),
        ('[listen]\nname = "two words"', "printable"),
        ('[listen]\nname = "é"', "printable"),
        (f'[listen]\nname = "{"n" * 65}"', "printable"),
        ("[limits]\nmax_connections = 0", "max_connections"),
        ("[limits]\nconnect_seconds = 0", "connect_seconds"),
        (ORIGIN + ORIGIN.replace("lamp", "LAMP").replace(".5", ".6"), "once"),
        (ORIGIN.replace("127.0.0.5", "224.0.1.187"), "one server"),
        ("[cache", "not TOML"),
    ],
)
def test_what_cannot_be_kept_is_one_sentence(text, told):
    with pytest.raises(ConfigError, match=told):
        parse(text, ProxyConfig, name="proxy.toml")
