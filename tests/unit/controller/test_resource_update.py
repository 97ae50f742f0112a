import asyncio

import pytest

from tests.unit.planes.software.desk import IMAGE, LAMP, OPEN, OTHER_LAMP, SENSOR, Desk, made
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM
from thingstead.controller.resource import keys_first, update_image
from thingstead.controller.resource import update_poll as polling
from thingstead.domain.campaign_plan import Plan, Share, Stage
from thingstead.endpoint.event import ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call
from thingstead.errors import ForbiddenError, StorageError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.phases.maintain import sign_release, state
from thingstead.planes.software.carried import Bundle
from thingstead.protocols.coap.block import entity_tag
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.update_poll import Standing
from thingstead.protocols.suit import envelope

ENVELOPE = made()


class Later:
    """Does at once what is deferred, and remembers what it says."""

    def __init__(self):
        self.answers = []

    def __call__(self, work):
        def begin(call):
            self.answers.append(asyncio.run(work(call)))

        return begin


def update_poll(tracker):
    return polling(tracker, Later())


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


STAGED = Plan((Stage(Share(1)), Stage(Share(basis=10000))))


@pytest.mark.requirement("R-72")
def test_who_is_the_first_to_get_it_waits_until_its_place_is_on_disk():
    later, made_ready = Later(), Desk().admit()
    made_ready.plan(STAGED, ENVELOPE)
    made_ready.publish(ENVELOPE)
    handler = polling(made_ready.tracker, later)
    assert handler(call(LAMP, path.UPDATE)) is None
    assert [answer.payload for answer in later.answers] == [ENVELOPE]
    assert any(key.endswith(LAMP.id) for key in made_ready.kept.load())
    assert ask(handler, LAMP, path.UPDATE).code == Code.CONTENT, "from then on it is answered at once"
    assert ask(handler, OTHER_LAMP, path.UPDATE).code == Code.NOT_FOUND


def test_who_cannot_be_given_a_place_on_disk_hears_of_nothing():
    made_ready = Desk().admit()
    made_ready.plan(STAGED, ENVELOPE)
    made_ready.publish(ENVELOPE)
    made_ready.kept.error = StorageError("the disk is full")
    with pytest.raises(StorageError):
        polling(made_ready.tracker, Later())(call(LAMP, path.UPDATE))


def test_a_thing_behind_its_makers_keys_gets_the_step_that_it_lacks_before_any_release():
    told = []

    def lacks(thing, said):
        told.append((thing, said))
        return b"step" if len(told) == 1 else None

    tracker = desk().tracker
    handler = keys_first(update_poll(tracker), tracker.accepts, lacks)
    answer = ask(handler, LAMP, path.UPDATE)
    assert (answer.code, answer.payload, answer.uint_option(OptionNumber.CONTENT_FORMAT)) == (
        Code.CONTENT,
        b"step",
        ContentFormat.CBOR,
    )
    assert ask(handler, LAMP, path.UPDATE).payload == ENVELOPE
    assert told == [(LAMP.id, Standing())] * 2


def test_a_thing_that_gets_no_updates_gets_no_step_either():
    refusal = Message(Code.FORBIDDEN)
    handler = keys_first(lambda _call: refusal, lambda _thing: False, lambda _thing, _told: b"step")
    assert ask(handler, LAMP, path.UPDATE) is refusal


RADIO = b"radio firmware"


@pytest.mark.parametrize(
    ("query", "answer"),
    [((), IMAGE), (("radio.bin",), RADIO), (("other.bin",), b""), (("radio.bin", "radio.bin"), b""), (("",), b"")],
)
def test_an_image_beside_the_first_is_asked_for_by_its_name(query, answer):
    desk = Desk().admit()
    text = (
        'vendor = "acme.example"\nmodel = "LX-1"\nsequence = 2\n[[component]]\nimage = "image.bin"\n'
        '[[component]]\nname = "radio"\nimage = "radio.bin"\n'
    )
    files = {"image.bin": IMAGE, "radio.bin": RADIO}
    recipe = read_recipe(text, files.__getitem__)
    encoded = envelope.encode(sign_release(recipe.envelope, (CLASSIC, QUANTUM)))
    statement = state(
        envelope.decode(encoded), files, [(profile.signer(one.public), one) for one in (CLASSIC, QUANTUM)]
    )
    asyncio.run(desk.tracker.publish(encoded, IMAGE, terms=OPEN, bundle=Bundle(files, statement)))
    ask(update_poll(desk.tracker), LAMP, path.UPDATE)
    asked = call(LAMP, path.UPDATE_IMAGE)
    asked.request.options = request(Code.GET, path.UPDATE_IMAGE, query=query).options
    told = update_image(desk.tracker)(asked)
    assert told is not None
    assert (told.payload, told.code) == (answer, Code.CONTENT if answer else Code.NOT_FOUND)
