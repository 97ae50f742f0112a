"""Settings: whatever is not understood is refused, with the place named."""

import pytest

from thingstead.controller.config import ControllerConfig, NamesConfig, load, parse
from thingstead.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domain", "is not TOML"),
        ("[domain]\nname = 'a'\nname = 'b'", "is not TOML"),
        (
            "[domian]",
            "has no setting 'domian'; it knows coap, ddi, domain, join, names, network, observe, separate, watch, web",
        ),
        ("[coap]\nprot = 1", r"configuration \[coap\] has no setting 'prot'"),
        ("domain = 'home'", "Expected `object`"),
        ("[coap]\nport = '5683'", "Expected `int`"),
        ("[network]\nlocal = '10.0.0.0/8'", "Expected `array`"),
        ("[network.hosts]\n'mud.example' = '192.0.2.1'", "Expected `array`"),
        ("[join]\nmax_half_open = 1.5", "Expected `int`"),
        ("[join]\nmax_half_open = 0", "max_half_open: expected 1 to 1048576, got 0"),
        ("[join]\nhalf_open_seconds = nan", "half_open_seconds: expected 1 to 3600, got nan"),
        ("[join]\ncredential_days = 99999999", "credential_days: expected 1 to 36500"),
        ("[coap]\nport = 65536", r"configuration: \[coap\] port: expected 0 to 65535, got 65536"),
        ("[coap]\nmulticast_port = 0", "multicast_port: expected 1 to 65535"),
        ("[coap]\nmax_peers = -1", "max_peers: expected 1 to "),
        ("[coap]\nhost = 'localhost'", "host: expected an IP address, got 'localhost'"),
        ("[coap]\nhost = '::1'", 'multicast_group: expected "" where host is ::1'),
        ("[coap]\nmulticast_group = '10.0.0.1'", "expected an IPv4 group address, got '10.0.0.1'"),
        ("[coap]\nmulticast_group = 'ff02::1'", "expected an IPv4 group address, got 'ff02::1'"),
        ("[domain]\nname = ''", "name: expected 1 to 64 bytes that can be printed"),
        ("[domain]\nname = 'a\\u001b[2J'".replace("'", '"'), "name: expected 1 to 64 bytes that can be printed"),
        (f"[domain]\nname = '{'ü' * 33}'", "name: expected 1 to 64 bytes that can be printed"),
        ("[coap]\nmulticast_group = 'lamps'", "multicast_group: expected an IP address"),
        ("[web]\nport = -1", "port: expected 0 to 65535, got -1"),
        ("[ddi]\nenabled = true\nname = 'a/b'", "name: expected a DNS name or an IP address"),
        ("[ddi]\nport = 0", "port: expected 1 to 65535, got 0"),
        ("[ddi]\npoll_seconds = 86400", "poll_seconds: expected 1 to 86399"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text, says):
    with pytest.raises(ConfigError, match=says):
        parse(text)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "thingstead.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=str(path)):
        load(path)


def test_nothing_said_is_the_safe_defaults(tmp_path):
    path = tmp_path / "thingstead.toml"
    path.write_text("")
    config = load(path)
    assert config == ControllerConfig()
    assert (config.web.host, config.network.enforcement, config.network.offline) == ("127.0.0.1", "dry_run", True)
    assert not config.network.insecure_unsigned_mud
    assert not config.network.insecure_private_mud_servers


def test_a_domain_on_ipv6_commands_no_groups():
    assert parse("[coap]\nhost = '::1'\nmulticast_group = ''").coap.host == "::1"


def test_what_is_said_counts():
    config = parse("[network]\noffline = false\n[network.hosts]\n'mud.example' = ['192.0.2.1']\n[coap]\nport = 5783")
    assert (config.network.offline, config.coap.port) == (False, 5783)
    assert config.network.hosts == {"mud.example": ["192.0.2.1"]}


@pytest.mark.parametrize(
    "mac", ["", "02:00:00:00:00", "02:00:00:00:00:0g", "02-00-00-00-00-01", "02:00:00:00:00:01:02"]
)
@pytest.mark.parametrize("name", ["known", "gateways"])
def test_a_neighbour_that_is_known_is_known_by_a_whole_mac_address(mac, name):
    with pytest.raises(ConfigError, match=rf"\[watch\] {name}: expected a MAC address"):
        parse(f'[watch]\n{name} = ["{mac}"]')


def test_nobody_resolves_where_nothing_is_said():
    assert NamesConfig() == NamesConfig(enabled=False, host="127.0.0.1", port=53, upstreams=[])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("host = 'gateway'", r"\[names\] host: expected an IP address, got 'gateway'"),
        ("upstreams = ['9.9.9.9', 'dns.example']", r"\[names\] upstreams: expected an IP address, got 'dns.example'"),
        ("upstreams = '9.9.9.9'", "Expected `array`"),
        ("forwarders = ['dnsmasq']", r"\[names\] forwarders: expected an IP address, got 'dnsmasq'"),
        ("port = 0", r"\[names\] port: expected 1 to 65535, got 0"),
        ("upstream_port = 65536", r"\[names\] upstream_port: expected 1 to 65535"),
        ("enabled = true\nupstreams = ['127.0.0.1']", "is this resolver itself"),
        ("resolver = true", "has no setting 'resolver'"),
    ],
)
def test_a_resolver_that_cannot_be_is_refused_with_its_place(text, says):
    with pytest.raises(ConfigError, match=says):
        parse(f"[names]\n{text}")
