"""The server's directory: made once, opened whole, its sales file heeded as it changes."""

import os

import pytest

from tests.unit.masa.wire import OTHER, THING
from thingstead.errors import ConfigError
from thingstead.masa.directory import make_masa, open_masa
from thingstead.masa.sales import Sale
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import maker_server

TO = "ab" * 32


@pytest.fixture
def masa(tmp_path):
    return make_masa(tmp_path / "masa", name="aurora", location="coap://127.0.0.1:5699")


def test_what_was_made_is_opened(masa):
    opened = open_masa(masa.root)
    assert opened.name == "aurora"
    for name, key in (("session", opened.session), ("voucher", opened.voucher)):
        assert ccs.decode((masa.root / f"{name}.credential").read_bytes()).public == key.public
    assert opened.session.public != opened.voucher.public
    assert masa.root.stat().st_mode & 0o777 == 0o700


def test_another_is_not_made_over_it(masa):
    with pytest.raises(ConfigError, match="already"):
        make_masa(masa.root, name="aurora", location="coap://127.0.0.1:5699")


@pytest.mark.parametrize("name", ["", "a" * 33, "a\nb", "../a", "A", "a b"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="name"):
        make_masa(tmp_path / "masa", name=name, location="coap://127.0.0.1")


@pytest.mark.parametrize("location", ["", "192.0.2.1", "https://192.0.2.1", "coap://192.0.2.1/masa", "coap://h:0"])
def test_a_location_that_domains_cannot_go_to_is_refused(tmp_path, location):
    with pytest.raises(ConfigError):
        make_masa(tmp_path / "masa", name="aurora", location=location)
    with pytest.raises(ConfigError, match="thingstead masa make"):
        open_masa(tmp_path / "masa")


def test_the_card_says_what_others_need(masa):
    card = maker_server.decode(masa.card_file.read_bytes())
    assert card == masa.card == open_masa(masa.root).card
    assert (card.maker, card.location) == ("aurora", "coap://127.0.0.1:5699")
    assert (card.session_key, card.voucher_key) == (masa.session.public, masa.voucher.public)


def test_things_that_call_themselves_alike_are_not_sold(masa):
    masa.sales.add([Sale("A-1", THING.hex(), (TO,))])
    before = masa.sales.path.read_bytes()
    with pytest.raises(ConfigError, match="A-1, A-2 call themselves alike"):
        masa.sales.add([Sale("A-3", OTHER.hex(), (TO,)), Sale("A-2", THING.hex(), (TO,))])
    assert masa.sales.path.read_bytes() == before


def test_nothing_there_names_the_command(tmp_path):
    with pytest.raises(ConfigError, match="thingstead masa make"):
        open_masa(tmp_path)


def test_one_server_runs_on_it(masa):
    held = masa.lock()
    with pytest.raises(ConfigError, match="another server"):
        masa.lock()
    os.close(held)


def test_a_sale_is_heeded_while_the_server_runs(masa):
    running = masa.sales
    assert running.read().find(THING) == ()
    masa.sales.add([Sale("A-1", THING.hex(), (TO,))])
    assert len(running.read().find(THING)) == 1
    assert masa.sales.path.read_text().startswith("# Which thing")


def test_a_thing_that_is_there_is_not_sold_over(masa):
    masa.sales.add([Sale("A-1", THING.hex(), (TO,))])
    with pytest.raises(ConfigError, match=f"A-1 is there 2 times.*to sell it to another domain put {'cd' * 32}"):
        masa.sales.add([Sale("A-1", THING.hex(), ("cd" * 32,))])


@pytest.mark.parametrize("content", [b"sold = 7", b"\xff", b"[[sold]]\n"])
def test_a_damaged_sales_file_says_so_each_time(masa, content):
    running = masa.sales
    masa.sales.add([Sale("A-1", THING.hex(), (TO,))])
    running.read()
    running.path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"sales\.toml"):
            running.read()


def test_no_sales_file_is_not_nothing_sold_but_an_error(masa):
    masa.sales.path.unlink()
    with pytest.raises(ConfigError, match="cannot read"):
        masa.sales.read()
