"""Invariant: whatever the bytes, a decoder returns, or raises DecodeError, UnsupportedError or SecurityError;
and no number that an input claims makes memory grow beyond a multiple of the input's own size.

100,000 mutations in all, from a fixed seed, of our own vectors and of the shared ones.
"""

import contextlib
import random
import tracemalloc

import pytest

from tests.properties.decoder import all_decoders, harvest
from thingstead.errors import DecodeError, SecurityError, UnsupportedError

DECODERS = all_decoders()
OWN = [row for row in DECODERS if row.seeds]
SHARED = [row for row in DECODERS if row.areas]
REFUSALS = (DecodeError, UnsupportedError, SecurityError)
EACH = -(-100_000 // (len(OWN) + len(SHARED)))
INTERESTING = bytes.fromhex(
    "00 01 17 18 19 1a 1b 1f 3b 40 58 5a 5b 5f 7b 7f 80 98 9a 9b 9f a0 b8 bb bf c0 d8 db f6 f8 fb ff"
)
CLAIMS = [
    bytes.fromhex(head)
    for head in (
        *("5affffff00", "5b00000000ffffffff", "9a7fffffff", "9b7fffffffffffffff", "ba7fffffff"),
        *("bbffffffffffffffff", "7b00000002ffffffff", "dbffffffffffffffff", "ffff", "fffffffff0"),
    )
]
# The CBOR library reads a long string in pieces of 65,536 bytes, however long it claims to be.
BUDGET_BYTES = 131_072
BUDGET_FACTOR = 64


def mutate(data, others, rng):
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(MUTATIONS)(data, others, rng)
    return data


def flip_bit(data, _others, rng):
    if not data:
        return b"\x00"
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def set_byte(data, _others, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + bytes((rng.choice(INTERESTING),)) + data[at + 1 :]


def cut(data, _others, rng):
    return data[: rng.randrange(len(data) + 1)]


def drop(data, _others, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randrange(1, 9) :]


def repeat(data, _others, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at : at + rng.randrange(1, 17)] * rng.randrange(2, 5) + data[at:]


def insert(data, _others, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]


def splice(data, others, rng):
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def nest(data, _others, rng):
    return rng.choice((b"\x81", b"\xa1\x01", b"\xc1", b"\x9f", b"\xd8\x18")) * rng.randrange(1, 40) + data


def claim(data, _others, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(CLAIMS) + data[at + rng.randrange(2) :]


MUTATIONS = (flip_bit, set_byte, cut, drop, repeat, insert, splice, nest, claim)


def survive(decoder, seeds, *, rounds=1):
    rng = random.Random(f"{decoder.name} {rounds}")
    for _ in range(EACH * rounds):
        data = mutate(rng.choice(seeds), seeds, rng)
        try:
            decoder.decode(data)
        except REFUSALS:
            pass
        except Exception as error:  # noqa: BLE001  any other error is the finding
            pytest.fail(f"{decoder.name} let {error!r} out for {data.hex()}")


def own_seeds(decoder):
    return [bytes.fromhex(seed) for seed in decoder.seeds]


@pytest.mark.slow
@pytest.mark.requirement("R-19")
@pytest.mark.parametrize("decoder", OWN, ids=lambda decoder: decoder.name)
def test_mutations_of_our_own_vectors_are_decoded_or_refused(decoder):
    survive(decoder, own_seeds(decoder))


@pytest.mark.slow
@pytest.mark.requirement("R-19")
@pytest.mark.parametrize("decoder", SHARED, ids=lambda decoder: decoder.name)
def test_mutations_of_the_shared_vectors_are_decoded_or_refused(decoder, shared):
    survive(decoder, own_seeds(decoder) + harvest(shared / "vectors", decoder.areas))


@pytest.mark.full
@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_twenty_times_as_many_mutations_are_decoded_or_refused(decoder, shared):
    survive(decoder, own_seeds(decoder) + harvest(shared / "vectors", decoder.areas), rounds=20)


@pytest.mark.slow
@pytest.mark.requirement("R-19")
@pytest.mark.parametrize("decoder", OWN, ids=lambda decoder: decoder.name)
def test_no_claimed_number_makes_memory_grow(decoder):
    rng = random.Random(decoder.name)
    seeds = own_seeds(decoder)
    tracemalloc.start()
    try:
        for _ in range(300):
            data = claim(rng.choice(seeds), seeds, rng)
            tracemalloc.reset_peak()
            before, _peak = tracemalloc.get_traced_memory()
            with contextlib.suppress(*REFUSALS):
                decoder.decode(data)
            grown = tracemalloc.get_traced_memory()[1] - before
            assert grown <= BUDGET_BYTES + BUDGET_FACTOR * len(data), f"{grown} bytes for {data.hex()}"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("decoder", OWN, ids=lambda decoder: decoder.name)
def test_each_seed_of_our_own_is_valid(decoder):
    for seed in own_seeds(decoder):
        decoder.decode(seed)
