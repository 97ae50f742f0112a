"""The error tree, its one table and its page say the same."""

import importlib
import pkgutil

import pytest

import thingstead
from tests.traceability import errors_page
from thingstead.errors import CONSEQUENCES, ReplayError, ThingsteadError, consequence


def errors(cls=ThingsteadError):
    yield cls
    for child in cls.__subclasses__():
        yield from errors(child)


def test_every_error_of_the_product_finds_its_row():
    for module in pkgutil.walk_packages(thingstead.__path__, "thingstead."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for error in set(errors()):
        assert consequence(error.__new__(error)).advice
        assert error.reason
        assert error.__doc__


def test_exit_codes_tell_errors_apart():
    codes = [row.exit_code for row in CONSEQUENCES.values()]
    assert len(codes) == len(set(codes))
    assert all(2 <= code <= 99 for code in codes)


@pytest.mark.spec("RFC 7252 12.1.2")
def test_every_error_answers_with_a_client_or_server_error_code():
    assert {row.coap_code >> 5 for row in CONSEQUENCES.values()} <= {4, 5}
    assert all(400 <= row.http_status <= 599 for row in CONSEQUENCES.values())


def test_a_subclass_without_a_row_takes_its_parents():
    class NarrowReplayError(ReplayError):
        pass

    assert consequence(NarrowReplayError("x")) is CONSEQUENCES[ReplayError]


def test_the_page_of_errors_is_what_the_table_says(pytestconfig):
    page = pytestconfig.rootpath / "docs" / "reference" / "errors.md"
    assert page.read_text() == errors_page(), "run `make docs-release`"
