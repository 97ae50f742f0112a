import pytest

from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.cache import Cache
from thingstead.proxy.config import CacheConfig, OriginConfig

ORIGIN = OriginConfig(name="a.example", address="192.0.2.5")
OTHER = OriginConfig(name="b.example", address="192.0.2.6")
GET = request(Code.GET, "/a")


def take(cache, response, asked=GET, now=0.0):
    key = cache.key(ORIGIN, asked)
    assert key is not None
    return cache.take(key, asked, response, now)


def content(payload=b"x", *, max_age=None, etag=None):
    options = [] if etag is None else [(int(OptionNumber.ETAG), etag)]
    options += [] if max_age is None else [(int(OptionNumber.MAX_AGE), encode_uint(max_age))]
    return Message(Code.CONTENT, options=options, payload=payload)


def filled(response, asked=GET, **settings):
    cache = Cache(CacheConfig(**settings))
    take(cache, response, asked)
    return cache


def answer(cache, asked=GET, now=1.0, origin=ORIGIN):
    key = cache.key(origin, asked)
    return None if key is None else cache.answer(key, asked, now)


@pytest.mark.spec("RFC 7252 5.6")
@pytest.mark.parametrize(
    "asked",
    [
        request(Code.GET, "/b"),
        request(Code.FETCH, "/a"),
        GET.with_options((OptionNumber.ACCEPT, b"\x3c")),
        GET.with_options((OptionNumber.URI_QUERY, b"q")),
        GET.with_options((65000, b"unknown and part of the key")),
    ],
)
def test_another_request_has_no_answer_here(asked):
    cache = filled(content())
    assert answer(cache) is not None
    assert answer(cache, asked) is None
    assert answer(cache, GET, origin=OTHER) is None


@pytest.mark.spec("RFC 8132 2.2")
def test_the_body_of_a_fetch_is_part_of_its_name():
    asked = request(Code.FETCH, "/a", payload=b"1")
    cache = filled(content(), asked)
    assert answer(cache, asked) is not None
    assert answer(cache, request(Code.FETCH, "/a", payload=b"2")) is None


@pytest.mark.spec("RFC 7252 5.4.6")
def test_options_that_are_no_cache_key_do_not_matter():
    assert answer(filled(content()), GET.with_options((0x1C, b"\x05"))) is not None


@pytest.mark.parametrize(
    "response",
    [
        content(max_age=0),
        Message(Code.CHANGED),
        Message(Code.NOT_FOUND),
        Message(Code.VALID, options=[(int(OptionNumber.ETAG), b"1")]),
    ],
)
def test_what_may_not_be_reused_is_not(response):
    assert answer(filled(response)) is None


@pytest.mark.parametrize("method", [Code.POST, Code.PUT, Code.DELETE, Code.PATCH, Code.IPATCH])
def test_a_method_that_changes_something_has_no_place_here(method):
    assert Cache(CacheConfig()).key(ORIGIN, request(method, "/a")) is None


@pytest.mark.requirement("R-52")
def test_what_oscore_protects_has_no_place_here():
    protected = Message(Code.FETCH, options=[(int(OptionNumber.OSCORE), b"\x09\x00\x01")], payload=bytes(20))
    assert Cache(CacheConfig()).key(ORIGIN, protected) is None


@pytest.mark.spec("RFC 7252 5.10.5")
@pytest.mark.parametrize(("max_age", "fresh"), [(None, 60), (5, 5), (7200, 3600)])
def test_a_response_is_fresh_as_long_as_it_says_and_no_longer_than_we_allow(max_age, fresh):
    cache = filled(content(max_age=max_age))
    assert answer(cache, now=fresh - 0.5) is not None
    assert answer(cache, now=float(fresh)) is None


@pytest.mark.spec("RFC 7252 5.6.2")
@pytest.mark.spec("RFC 7252 5.10.6.2")
def test_a_stale_response_holds_again_when_its_origin_says_so():
    cache = filled(content(b"body", max_age=5, etag=b"1"))
    key = cache.key(ORIGIN, GET)
    assert cache.validators(key) == [(int(OptionNumber.ETAG), b"1")]
    still = Message(Code.VALID, options=[(int(OptionNumber.ETAG), b"1"), (int(OptionNumber.MAX_AGE), b"\x09")])
    told = cache.take(key, GET, still, 10.0)
    assert (told.code, told.payload, told.uint_option(OptionNumber.MAX_AGE)) == (Code.CONTENT, b"body", 9)
    assert answer(cache, now=18.0).payload == b"body"


def test_a_client_that_has_it_already_is_told_that_it_holds():
    cache = filled(content(b"body", max_age=5, etag=b"1"))
    asked = GET.with_options((OptionNumber.ETAG, b"1"))
    told = answer(cache, asked)
    assert (told.code, told.payload, told.option(OptionNumber.ETAG)) == (Code.VALID, b"", b"1")
    assert answer(cache, GET.with_options((OptionNumber.ETAG, b"2"))).code == Code.CONTENT


def test_a_validation_of_something_else_passes_and_refreshes_nothing():
    cache = filled(content(b"body", max_age=5, etag=b"1"))
    other = Message(Code.VALID, options=[(int(OptionNumber.ETAG), b"2")])
    assert take(cache, other, now=10.0) is other
    assert answer(cache, now=11.0) is None


@pytest.mark.spec("RFC 7252 5.9.1")
@pytest.mark.parametrize(
    ("method", "code", "kept"),
    [
        (Code.PUT, Code.CHANGED, False),
        (Code.POST, Code.CREATED, False),
        (Code.DELETE, Code.DELETED, False),
        (Code.PUT, Code.FORBIDDEN, True),
        (Code.GET, Code.CONTENT, True),
    ],
)
def test_what_was_changed_at_its_origin_is_forgotten(method, code, kept):
    cache = filled(content())
    cache.invalidate(ORIGIN, request(method, "/a"), Message(code))
    assert (answer(cache) is not None) is kept
    assert (cache.held == 0) is not kept


def test_the_response_that_was_used_longest_ago_gives_way():
    cache = Cache(CacheConfig(max_responses=2))
    for path in ("/a", "/b"):
        asked = request(Code.GET, path)
        take(cache, content(), asked)
    assert answer(cache) is not None
    asked = request(Code.GET, "/c")
    take(cache, content(), asked)
    found = [answer(cache, request(Code.GET, path)) is not None for path in ("/a", "/b", "/c")]
    assert found == [True, False, True]


@pytest.mark.parametrize("settings", [{"max_responses": 0}, {"max_bytes": 1000}])
def test_what_is_too_large_or_not_wanted_is_not_kept(settings):
    cache = filled(content(bytes(2000)), **settings)
    assert (len(cache), cache.held) == (0, 0)


def test_bytes_are_bounded_whatever_comes():
    cache = Cache(CacheConfig(max_bytes=5000))
    for number in range(100):
        asked = request(Code.GET, f"/{number}")
        take(cache, content(bytes(number * 10)), asked)
        assert cache.held <= 5000
    assert 0 < len(cache) < 10
