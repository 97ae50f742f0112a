"""The program: one for each directory, and only on files that can be read."""

import asyncio
import socket

import pytest

from tests.unit.masa.wire import THING
from thingstead.errors import ConfigError, StorageError, TransportError
from thingstead.masa.directory import make_masa
from thingstead.masa.program import running
from thingstead.masa.sales import Sale
from thingstead.protocols.coap.message import decode, encode, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.lake_authz.message import VOUCHER_REQUEST_PATH


@pytest.fixture
def masa(tmp_path):
    made = make_masa(tmp_path / "masa", name="aurora", location="coap://127.0.0.1:5699")
    made.sales.add([Sale("A-1", THING.hex())])
    return made


async def begin(masa, port=0):
    async with running(masa, "127.0.0.1", port):
        pass


async def ask_in_clear(port):
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", port))
        await loop.sock_sendall(client, encode(request(Code.POST, VOUCHER_REQUEST_PATH, payload=b"x")))
        async with asyncio.timeout(5):
            return decode(await loop.sock_recv(client, 1500))


def test_it_answers_on_its_socket_and_counts(masa):
    async def life():
        async with running(masa, "127.0.0.1", 0) as (server, port):
            answer = await ask_in_clear(port)
            return answer.code, server.refused

    assert asyncio.run(life()) == (Code.UNAUTHORIZED, {"unprotected": 1})


def test_a_second_one_does_not_begin_on_the_same_directory(masa):
    async def life():
        async with running(masa, "127.0.0.1", 0):
            with pytest.raises(ConfigError, match="another server"):
                await begin(masa)

    asyncio.run(life())


def test_it_begins_again_after_it_ended(masa):
    for _ in range(2):
        asyncio.run(begin(masa))


@pytest.mark.parametrize(
    ("name", "error"), [("sales.toml", ConfigError), ("vouched.jsonl", StorageError)], ids=["sales", "record"]
)
def test_it_does_not_begin_on_a_damaged_file_and_gives_the_directory_back(masa, name, error):
    path = masa.root / name
    before = path.read_bytes() if path.exists() else b""
    path.write_bytes(b"[[\n")
    with pytest.raises(error, match=name):
        asyncio.run(begin(masa))
    path.write_bytes(before)
    asyncio.run(begin(masa))


def test_an_address_that_is_taken_is_said(masa, tmp_path):
    async def life():
        async with running(masa, "127.0.0.1", 0) as (_, port):
            with pytest.raises(TransportError):
                await begin(make_masa(tmp_path / "second", name="aurora", location="coap://127.0.0.1:5699"), port)

    asyncio.run(life())
