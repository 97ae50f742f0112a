import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.problem import Problem, decode_problem, encode_problem, with_problem
from thingstead.protocols.coap.registry import Code, OptionNumber


@pytest.mark.spec("RFC 9290 2")
@pytest.mark.parametrize(
    "problem",
    [
        Problem(title="a"),
        Problem("a", "b", "coap://h/i", Code.NOT_FOUND, "coap://h/", "en", base_rtl=False),
        Problem(unprocessed_options=(9,)),
        Problem(unprocessed_options=(9, 65535)),
        Problem(custom={"tag:h,2026:x": {0: "v"}, 4711: {"k": b"v"}}),
    ],
    ids=["title", "all", "one option", "options", "custom"],
)
def test_details_are_read_as_they_were_written(problem):
    assert decode_problem(encode_problem(problem)) == problem


@pytest.mark.spec("RFC 9290 3.1")
def test_one_option_is_a_number_and_several_are_a_list():
    assert codec.decode(encode_problem(Problem(unprocessed_options=(9,)))) == {-8: 9}
    assert codec.decode(encode_problem(Problem(unprocessed_options=(9, 11)))) == {-8: [9, 11]}


@pytest.mark.spec("RFC 9290 A")
@pytest.mark.parametrize("parts", [["de", "Fehler"], ["de", "Fehler", False]])
def test_a_text_with_a_language_is_read_without_it(parts):
    assert decode_problem(codec.encode({-1: codec.Tag(38, parts)})).title == "Fehler"


def test_a_standard_key_that_we_do_not_know_is_passed_over():
    assert decode_problem(codec.encode({-1: "a", -99: {}})) == Problem(title="a")


def test_nothing_said_is_our_own_mistake():
    with pytest.raises(ValueError, match="say something"):
        encode_problem(Problem())


@pytest.mark.spec("RFC 9290 2")
@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "a",
        {-1: 1},
        {-1: b"a"},
        {-1: codec.Tag(38, ["en"])},
        {-1: codec.Tag(39, ["en", "a"])},
        {-3: codec.Tag(38, ["en", "a"])},
        {-4: -1},
        {-4: 256},
        {-4: True},
        {-4: "4.04"},
        {-6: 1},
        {-7: 0},
        {-8: []},
        {-8: "x"},
        {-8: [-1]},
        {-8: 65536},
        {-8: [True]},
        {5: 1},
        {5: {}},
        {"x": "y"},
        {b"x": {1: 1}},
        {True: {1: 1}},
        {1.5: {1: 1}},
    ],
    ids=repr,
)
def test_what_is_no_problem_is_refused(value):
    with pytest.raises(DecodeError):
        decode_problem(codec.encode(value))


@pytest.mark.requirement("R-47")
def test_details_are_bounded():
    with pytest.raises(DecodeError):
        decode_problem(codec.encode({-1: "a" * 1024}))


def test_a_response_with_details_says_their_format():
    response = with_problem(Message(Code.BAD_OPTION, options=[(27, b"")]), Problem(unprocessed_options=(9,)))
    assert response.uint_option(OptionNumber.CONTENT_FORMAT) == 257
    assert decode_problem(response.payload).unprocessed_options == (9,)
    assert response.option(27) == b""
