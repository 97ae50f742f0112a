import asyncio

import pytest

from thingstead.coap.address import is_group, resolve
from thingstead.errors import UnreachableError, UnsupportedError
from thingstead.protocols.coap import uri


def led(text):
    return asyncio.run(resolve(uri.parse(text)))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("coap://192.0.2.1/a", ("192.0.2.1", 5683)),
        ("coap+tcp://[2001:db8::1]:99/a", ("2001:db8::1", 99)),
        ("coap://224.0.1.187", ("224.0.1.187", 5683)),
    ],
)
def test_an_address_is_asked_of_nobody(text, address):
    assert led(text) == [address]


def test_a_name_has_the_addresses_that_the_host_knows():
    assert {host for host, *_ in led("coap://localhost/")} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("text", ["coap://nobody.invalid/", f"coap://{'x' * 64}.invalid/"])
def test_a_name_that_nobody_has_is_unreachable(text):
    with pytest.raises(UnreachableError, match="no address is known"):
        led(text)


@pytest.mark.parametrize("scheme", ["coaps", "coaps+tcp"])
def test_what_tls_would_protect_is_not_spoken(scheme):
    with pytest.raises(UnsupportedError, match="OSCORE does"):
        led(f"{scheme}://192.0.2.1/")


@pytest.mark.spec("RFC 7252 12.8")
@pytest.mark.parametrize(
    ("host", "is_one"),
    [("224.0.1.187", True), ("[ff02::fd]", True), ("[ff02::fd%25eth0]", True), ("192.0.2.1", False), ("all", False)],
)
def test_a_group_is_known_by_its_address(host, is_one):
    assert is_group(uri.parse(f"coap://{host}/")) is is_one
