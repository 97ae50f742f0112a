"""libcoap's coap-client, unmodified, against our endpoint: plain CoAP, blocks both ways, observation."""

import asyncio
import re

import pytest

from tests.interop.endpoint_party import LARGE, on_loopback

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture
def coap_client(program):
    return program("coap-client-notls", package="libcoap3-bin")


async def run(client, *arguments):
    process = await asyncio.create_subprocess_exec(
        client, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        out, error = await process.communicate()
    return out, error.decode()


def play(story):
    async def whole():
        async with on_loopback() as party:
            return await story(party, f"coap://127.0.0.1:{party.port}")

    return asyncio.run(whole())


@pytest.mark.spec("RFC 6690 4")
def test_libcoap_discovers_our_resources(coap_client):
    async def story(_party, uri):
        return await run(coap_client, "-m", "get", f"{uri}/.well-known/core")

    out, _ = play(story)
    assert b"</hello>" in out


@pytest.mark.spec("RFC 7252 5.8.1")
@pytest.mark.parametrize("confirmable", [[], ["-N"]], ids=["CON", "NON"])
def test_libcoap_gets_from_us(coap_client, confirmable):
    async def story(_party, uri):
        return await run(coap_client, *confirmable, "-m", "get", f"{uri}/hello")

    out, _ = play(story)
    assert out.strip() == b"hello"


@pytest.mark.spec("RFC 7959 2.4")
@pytest.mark.parametrize("size", [[], ["-b", "64"], ["-b", "1024"]], ids=["ours", "64", "1024"])
def test_libcoap_gets_a_large_body_in_blocks(coap_client, size, tmp_path):
    async def story(_party, uri):
        return await run(coap_client, *size, "-m", "get", "-o", str(tmp_path / "body"), f"{uri}/large")

    play(story)
    assert (tmp_path / "body").read_bytes() == LARGE


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.parametrize("size", ["32", "512"])
def test_libcoap_puts_a_large_body_in_blocks(coap_client, size, tmp_path):
    (tmp_path / "body").write_bytes(LARGE)

    async def story(_party, uri):
        await run(coap_client, "-b", size, "-m", "put", "-f", str(tmp_path / "body"), f"{uri}/store")
        await run(coap_client, "-m", "get", "-o", str(tmp_path / "back"), f"{uri}/store")

    play(story)
    assert (tmp_path / "back").read_bytes() == LARGE


@pytest.mark.spec("RFC 7641 3")
def test_libcoap_observes_us_and_stops(coap_client):
    async def story(party, uri):
        out, _ = await run(coap_client, "-s", "1", "-B", "3", "-w", "-m", "get", f"{uri}/ticks")
        await asyncio.sleep(0.3)
        return out, set(party._observers)

    out, observers = play(story)
    ticks = [int(line) for line in re.findall(rb"\d+", out)]
    assert len(ticks) >= 5
    assert ticks == sorted(ticks)
    assert observers == set()


@pytest.mark.spec("RFC 7252 5.9")
def test_libcoap_is_told_what_does_not_exist(coap_client):
    async def story(_party, uri):
        return await run(coap_client, "-m", "get", f"{uri}/nothing")

    _, error = play(story)
    assert "4.04" in error
