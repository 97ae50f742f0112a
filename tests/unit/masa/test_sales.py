"""The sales file is read strictly, or not at all."""

import pytest

from tests.unit.masa.wire import THING
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ConfigError
from thingstead.masa.sales import Sale, Sales, parse_sales, render_sale
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import join

TO = "ab" * 32


def test_what_is_rendered_is_read():
    sale = Sale("A-1", THING.hex(), (TO, "cd" * 32))
    sales = parse_sales("# of today\n" + render_sale(sale))
    assert sales.find(THING) == (sale,)
    assert sales.has_customer(bytes.fromhex(TO))


def test_nothing_sold_is_nobody_vouched_for():
    assert Sales().find(THING) == ()
    assert not parse_sales("").has_customer(bytes.fromhex(TO))


def test_a_thing_that_was_sold_to_nobody_makes_no_customer():
    assert not Sales((Sale("A-1", THING.hex()),)).has_customer(bytes.fromhex(TO))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('serial = ""', "serial number"),
        ('serial = "../A"', "serial number"),
        ('serial = "' + "A" * 65 + '"', "serial number"),
        ('id_cred_i = "xy"', "id_cred_i"),
        ('id_cred_i = "A1"', "id_cred_i"),
        ('id_cred_i = ""', "id_cred_i"),
        ('to = ["ab"]', "64 hex digits"),
        (f'to = ["{TO.upper()}"]', "64 hex digits"),
        (f'to = "{TO}"', "to"),
        ('owner = "ben"', "owner"),
    ],
)
def test_what_is_not_said_rightly_is_refused(line, told):
    values = {"serial": 'serial = "A-1"', "id_cred_i": f'id_cred_i = "{THING.hex()}"', "to": "to = []"}
    values[line.split(" ")[0]] = line
    with pytest.raises(ConfigError, match=told):
        parse_sales("[[sold]]\n" + "\n".join(values.values()))


def test_a_thing_twice_is_refused():
    text = render_sale(Sale("A-1", THING.hex(), (TO,))) * 2
    with pytest.raises(ConfigError, match="A-1 is there 2 times"):
        parse_sales(text)


@pytest.mark.slow
def test_a_maker_of_100_000_sells_all_of_them():
    identities = [codec.encode(number) for number in range(100_000)]
    key = generate(KeyType.P256).public
    names = [join.identity_credential(one, key, name_size=join.LONG_NAME).id_cred for one in identities]
    sales = Sales(tuple([Sale(f"A-{number}", name.hex(), (TO,)) for number, name in enumerate(names)]))
    assert all(len(sales.find(name)) == 1 for name in names)
