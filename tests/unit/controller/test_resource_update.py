import pytest

from tests.unit.planes.software.desk import IMAGE, LAMP, SENSOR, Desk, made
from thingstead.controller.resource import update_image, update_poll
from thingstead.endpoint.event import ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call
from thingstead.errors import ForbiddenError
from thingstead.protocols.coap.block import entity_tag
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.profile import path

ENVELOPE = made()


def call(thing, where, *etags):
    message = request(Code.GET, where).with_options(*[(OptionNumber.ETAG, etag) for etag in etags])
    event = RequestReceived(
        ExchangeId(1), message, ("192.0.2.1", 5683), None, None, None, None, is_fresh=False, is_multicast=False
    )
    return Call(message, event, thing.id, 0.0)


def ask(handler, *arguments):
    answer = handler(call(*arguments))
    assert answer is not None
    return answer


def desk():
    made_ready = Desk().admit()
    made_ready.publish(ENVELOPE)
    return made_ready


def test_a_poll_gets_the_envelope_and_a_tag_to_ask_with_again():
    answer = ask(update_poll(desk().tracker), LAMP, path.UPDATE)
    assert (answer.code, answer.payload) == (Code.CONTENT, ENVELOPE)
    assert answer.option(OptionNumber.ETAG) == entity_tag(ENVELOPE)


@pytest.mark.spec("RFC 7252 5.10.6.2")
def test_who_has_the_envelope_is_told_so_and_gets_nothing():
    answer = ask(update_poll(desk().tracker), LAMP, path.UPDATE, b"older", entity_tag(ENVELOPE))
    assert (answer.code, answer.payload) == (Code.VALID, b"")
    assert answer.option(OptionNumber.ETAG) == entity_tag(ENVELOPE)


@pytest.mark.spec("RFC 7252 5.10.6.2")
def test_another_tag_gets_the_envelope():
    assert ask(update_poll(desk().tracker), LAMP, path.UPDATE, b"older").code == Code.CONTENT


@pytest.mark.parametrize("handler", [update_poll, update_image])
def test_a_class_without_a_release_gets_nothing(handler):
    assert ask(handler(desk().tracker), SENSOR, path.UPDATE).code == Code.NOT_FOUND


@pytest.mark.parametrize("handler", [update_poll, update_image])
def test_who_is_not_admitted_is_refused(handler):
    with pytest.raises(ForbiddenError):
        ask(handler(Desk().tracker), LAMP, path.UPDATE)


def test_the_image_is_the_whole_one_under_the_envelope_s_tag():
    answer = ask(update_image(desk().tracker), LAMP, path.UPDATE_IMAGE)
    assert (answer.code, answer.payload) == (Code.CONTENT, IMAGE)
    assert answer.option(OptionNumber.ETAG) == entity_tag(ENVELOPE)
