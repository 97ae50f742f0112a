"""Settings: whatever is not understood is refused, with the place named."""

import pytest

from thingstead.controller.config import ControllerConfig, load, parse
from thingstead.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domain", "is not TOML"),
        ("[domain]\nname = 'a'\nname = 'b'", "is not TOML"),
        ("[domian]", "has no setting 'domian'; it knows coap, domain, join, network, observe, web"),
        ("[coap]\nprot = 1", r"configuration \[coap\] has no setting 'prot'"),
        ("domain = 'home'", "Expected `object`"),
        ("[coap]\nport = '5683'", "Expected `int`"),
        ("[network]\nlocal = '10.0.0.0/8'", "Expected `array`"),
        ("[network.hosts]\n'mud.example' = '192.0.2.1'", "Expected `array`"),
        ("[join]\nmax_half_open = 1.5", "Expected `int`"),
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


def test_what_is_said_counts():
    config = parse("[network]\noffline = false\n[network.hosts]\n'mud.example' = ['192.0.2.1']\n[coap]\nport = 5783")
    assert (config.network.offline, config.coap.port) == (False, 5783)
    assert config.network.hosts == {"mud.example": ["192.0.2.1"]}
