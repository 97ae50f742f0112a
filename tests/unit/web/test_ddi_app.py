"""hawkBit's API at the domain's door: what a device gets, and everything that it does not."""

import asyncio
import hashlib
import json

import pytest

from tests.unit.planes.software.desk import IMAGE, made
from tests.unit.web.ddi_desk import DEVICE, ORIGIN, OTHER, OTHER_TOKEN, SENSOR, SOURCE, TOKEN, DdiDesk
from thingstead.domain.ledger.entry import Kind
from thingstead.web.ddi_app import Limits


@pytest.fixture
def desk():
    return DdiDesk()


@pytest.fixture
def offering(desk):
    desk.publish()
    return desk


def test_a_device_with_nothing_to_do_is_told_when_to_come_again(desk):
    answer = desk.ask()
    assert (answer.status, answer.headers[b"content-type"]) == (200, b"application/hal+json")
    assert answer.json()["config"] == {"polling": {"sleep": "00:05:00"}}
    assert set(answer.json()["_links"]) == {"configData"}
    assert b"set-cookie" not in answer.headers


@pytest.mark.requirement("R-29")
def test_a_release_is_found_fetched_installed_and_counted(offering):
    number = offering.begin()
    told = offering.ask(f"/deploymentBase/{number}").json()
    (one,) = told["deployment"]["chunks"][0]["artifacts"]
    path = one["_links"]["download"]["href"].removeprefix(ORIGIN)
    file = offering.ask(target=path.encode())
    assert (file.status, file.body) == (200, IMAGE)
    assert hashlib.sha256(file.body).hexdigest() == one["hashes"]["sha256"]
    assert offering.tell(number, "proceeding", "none", details=["installing"]) == 200
    assert offering.tell(number) == 200
    (campaign,) = offering.tracker.campaigns()
    assert (campaign.offered, campaign.fetched, campaign.installed) == (1, 1, 1)
    (entry,) = offering.entries(Kind.INSTALLATION)
    assert (entry.thing, entry.cause) == (DEVICE.id, "installed")
    assert "deploymentBase" not in offering.waiting()


def test_a_failure_is_counted_and_the_release_is_not_offered_again(offering):
    assert offering.tell(offering.begin(), finished="failure") == 200
    (campaign,) = offering.tracker.campaigns()
    assert (campaign.installed, campaign.refused) == (0, 1)
    assert "deploymentBase" not in offering.waiting()


def test_the_checksum_and_the_list_of_artifacts_are_those_of_the_deployment(offering):
    number = offering.begin()
    listed = offering.ask(f"/softwaremodules/{number}/artifacts").json()
    (chunk,) = offering.ask(f"/deploymentBase/{number}").json()["deployment"]["chunks"]
    assert listed == chunk["artifacts"]
    checksum = offering.ask(f"/softwaremodules/{number}/artifacts/firmware.bin.MD5SUM")
    assert checksum.body.decode() == f"{hashlib.md5(IMAGE).hexdigest()}  firmware.bin"


@pytest.mark.spec("RFC 9110 14.2")
def test_a_download_goes_on_where_it_ended(offering):
    file = f"/softwaremodules/{offering.begin()}/artifacts/firmware.bin"
    rest = offering.ask(file, headers=[(b"range", b"bytes=500-")])
    assert (rest.status, rest.body) == (206, IMAGE[500:])
    assert rest.headers[b"content-range"] == f"bytes 500-{len(IMAGE) - 1}/{len(IMAGE)}".encode()
    tag = rest.headers[b"etag"]
    same = offering.ask(file, headers=[(b"range", b"bytes=0-9"), (b"if-range", tag)])
    assert (same.status, same.body) == (206, IMAGE[:10])
    other = offering.ask(file, headers=[(b"range", b"bytes=0-9"), (b"if-range", b'"other"')])
    assert (other.status, other.body) == (200, IMAGE)
    assert offering.ask(file, headers=[(b"range", f"bytes={len(IMAGE)}-".encode())]).status == 416


def test_a_look_at_a_file_brings_its_length_and_no_byte(offering):
    file = f"/softwaremodules/{offering.begin()}/artifacts/firmware.bin"
    look = offering.ask(file, "HEAD")
    assert (look.status, look.body, look.headers[b"content-length"]) == (200, b"", str(len(IMAGE)).encode())


def test_a_restart_in_the_middle_changes_no_number(offering):
    number = offering.begin()
    offering.restart()
    offering.admit()
    offering.wake()
    assert offering.waiting()["deploymentBase"] == number
    assert offering.ask(f"/softwaremodules/{number}/artifacts/firmware.bin").status == 200
    assert offering.tell(number) == 200
    assert offering.tracker.campaigns()[0].installed == 1


# --- cancel


def test_what_a_newer_release_overtakes_is_cancelled_first(offering):
    number = offering.begin()
    offering.publish(made("1.2.0", 3))
    assert offering.waiting()["cancelAction"] == number
    assert offering.ask(f"/cancelAction/{number}").json()["cancelAction"] == {"stopId": str(number)}
    assert offering.tell(number, kind="cancelAction") == 200
    following = offering.waiting()
    assert "cancelAction" not in following
    assert following["deploymentBase"] != number


def test_who_will_not_be_cancelled_ends_what_it_does_and_is_believed(offering):
    number = offering.begin()
    offering.publish(made("1.2.0", 3))
    assert offering.tell(number, "rejected", "none", kind="cancelAction") == 200
    assert set(offering.waiting()) == {"configData"}
    assert offering.tell(number) == 200
    assert offering.tracker.runs(DEVICE.id).version == "1.1.0"
    assert offering.waiting()["deploymentBase"] != number


def test_a_failure_of_what_was_overtaken_counts_against_that_alone(offering):
    number = offering.begin()
    offering.publish(made("1.2.0", 3))
    assert offering.tell(number, finished="failure") == 200
    assert [one.refused for one in offering.tracker.campaigns()] == [1, 0]
    assert offering.waiting()["deploymentBase"] != number


def test_what_is_aborted_is_cancelled(offering):
    number = offering.begin()
    offering.aborted.add(offering.tracker.poll(DEVICE.id).manifest_digest)
    offering.tracker.poll = lambda _thing: None
    assert offering.waiting()["cancelAction"] == number
    assert offering.tell(number, kind="cancelAction") == 200
    assert set(offering.waiting()) == {"configData"}


def test_nobody_cancels_what_is_offered(offering):
    number = offering.begin()
    assert offering.ask(f"/cancelAction/{number}").status == 404
    assert offering.tell(number, kind="cancelAction") == 404
    assert offering.waiting()["deploymentBase"] == number


# --- who asks


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        b"",
        b"TargetToken ",
        b"TargetToken " + b"c" * 43,
        b"TargetToken " + TOKEN.upper().encode(),
        b"TargetToken " + TOKEN.encode() + b" ",
        b"GatewayToken " + TOKEN.encode(),
        b"Bearer " + TOKEN.encode(),
        b"targettoken " + TOKEN.encode(),
        TOKEN.encode(),
        b"TargetToken \xff\xfe",
        b"TargetToken " + OTHER_TOKEN.encode(),
    ],
)
def test_without_its_own_token_nobody_is_a_device(desk, authorization):
    headers = [] if authorization is None else [(b"authorization", authorization)]
    answer = desk.ask(token=None, headers=headers)
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers[b"www-authenticate"] == b"TargetToken"
    assert desk.refused == [(None, SOURCE, "token")]


@pytest.mark.parametrize("who", [OTHER.id, SENSOR.id, "thing-aaaaaaaaaaaaaaab", "x", "thing-"])
def test_a_token_opens_no_path_but_its_own(desk, who):
    answer = desk.ask(target=f"/default/controller/v1/{who}".encode())
    assert (answer.status, answer.body) == (401, b"")


def test_two_authorizations_are_none(desk):
    both = [(b"authorization", f"TargetToken {TOKEN}".encode())] * 2
    assert desk.ask(token=None, headers=both).status == 400


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("rest", ["", "/deploymentBase/1", "/softwaremodules/1/artifacts/firmware.bin"])
def test_who_may_not_update_gets_nothing_with_the_right_token(offering, rest):
    offering.tracker._drop(DEVICE.id)
    assert offering.ask(rest).status == 403
    assert offering.refused[-1] == (DEVICE.id, SOURCE, "software-plane")


def test_a_device_that_asks_too_often_is_told_so_and_may_go_on_later(desk):
    statuses = [desk.ask().status for _ in range(130)]
    assert statuses[:120] == [200] * 120
    assert set(statuses[120:]) == {429}
    assert desk.ask(thing=OTHER, token=OTHER_TOKEN).status == 200
    desk.clock.seconds += 60
    assert desk.ask().status == 200


@pytest.mark.requirement("R-09")
def test_who_may_not_update_moves_no_rule_of_the_network_with_the_right_token(desk):
    desk.tracker._drop(DEVICE.id)
    assert desk.ask().status == 403
    assert desk.noted == []
    assert {(thing, reason) for thing, _, reason in desk.refused} == {(DEVICE.id, "software-plane")}


def test_where_a_device_asks_from_is_noted_once(desk):
    desk.ask()
    desk.ask()
    assert desk.noted == [(DEVICE.id, SOURCE)]
    assert desk.door.last_heard(DEVICE.id) == desk.clock.utc()
    assert desk.door.last_heard(OTHER.id) is None


# --- what is asked


@pytest.mark.parametrize("path", ["/deploymentBase/1", "/softwaremodules/1/artifacts/firmware.bin", "/cancelAction/1"])
def test_a_number_that_was_never_given_leads_nowhere(offering, path):
    assert offering.ask(path).status == 404


def test_a_file_is_fetched_only_after_its_deployment_was_asked_for(offering):
    number = offering.waiting()["deploymentBase"]
    assert offering.ask(f"/softwaremodules/{number}/artifacts/firmware.bin").status == 404


def test_an_action_is_of_one_device(offering):
    number, others = offering.begin(), offering.begin(thing=OTHER, token=OTHER_TOKEN)
    assert number != others
    assert offering.ask(f"/deploymentBase/{others}").status == 404
    assert offering.ask(f"/softwaremodules/{others}/artifacts/firmware.bin").status == 404
    assert offering.tell(others) == 404
    assert offering.tracker.campaigns()[0].installed == 0


@pytest.mark.parametrize("finished", ["success", "failure"])
def test_a_closed_action_stays_closed_whatever_is_repeated(offering, finished):
    number = offering.begin()
    offering.tell(number, finished="failure")
    assert offering.tell(number, finished=finished) == 410
    assert offering.tell(number, "proceeding", "none") == 410
    assert offering.tracker.campaigns()[0].installed == 0
    assert len(offering.entries(Kind.INSTALLATION)) == 1


def test_feedback_on_what_was_never_begun_is_nothing(offering):
    number = offering.waiting()["deploymentBase"]
    assert offering.tell(number) == 404
    assert offering.tracker.campaigns()[0].installed == 0


def test_feedback_that_names_another_action_than_its_path_is_refused(offering):
    number = offering.begin()
    body = {"id": number + 1, "status": {"result": {"finished": "success"}, "execution": "closed"}}
    assert offering.ask(f"/deploymentBase/{number}/feedback", "POST", body=body).status == 404
    assert offering.tracker.campaigns()[0].installed == 0


def test_what_is_closed_without_a_result_is_refused(offering):
    number = offering.begin()
    assert offering.tell(number, finished="none") == 400
    assert offering.waiting()["deploymentBase"] == number


@pytest.mark.parametrize("name", ["firmware.swu", "firmware.bim", "server.key"])
def test_a_file_of_another_name_is_not_there(offering, name):
    number = offering.begin()
    assert offering.ask(f"/softwaremodules/{number}/artifacts/{name}").status == 404


@pytest.mark.parametrize(
    ("target", "status"),
    [(b"/", 404), (b"/default/controller/v1", 404), (b"/default/controller/v1/x/../y", 404),
     (b"/default/controller/v1/%2e%2e", 404), (b"/index.html", 404)],
)  # fmt: skip
def test_a_stranger_learns_nothing_of_paths(desk, target, status):
    assert desk.ask(target=target, token=None).status == status


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_is_none_is_refused(desk, method):
    assert desk.ask(method=method).status == 405


# --- bodies


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b'{"status":7}', b"\x00" * 100])
def test_feedback_that_is_none_closes_nothing(offering, body):
    number = offering.begin()
    answer = offering.ask(f"/deploymentBase/{number}/feedback", "POST", body=body)
    assert (answer.status, answer.body) == (400, b"")
    assert answer.headers[b"connection"] == b"close"
    assert offering.waiting()["deploymentBase"] == number


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"70000")]])
def test_a_body_over_the_limit_is_not_read_to_its_end(offering, headers):
    number = offering.begin()
    answer = offering.ask(f"/deploymentBase/{number}/feedback", "POST", body=b" " * 70_000, headers=headers)
    assert answer.status == 413


@pytest.mark.parametrize("length", [b"x", b"-1", b"", b"1" * 5000])
def test_a_length_that_is_none_is_refused(desk, length):
    assert desk.ask(headers=[(b"content-length", length)]).status == 413


def test_a_header_over_the_limit_is_refused(desk):
    assert desk.ask(headers=[(b"x-filler", b"x" * 9000)]).status == 400


def test_a_body_that_does_not_come_is_waited_for_no_longer_than_the_limit():
    desk = DdiDesk(limits=Limits(body_seconds=0.01))
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "raw_path": f"/default/controller/v1/{DEVICE.id}/configData".encode(),
        "headers": [(b"authorization", f"TargetToken {TOKEN}".encode())],
        "client": None,
    }
    asyncio.run(desk.app(scope, receive, send))
    assert sent[0]["status"] == 400


def test_a_connection_that_ends_within_a_body_changes_nothing(offering):
    number = offering.begin()
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": f"/default/controller/v1/{DEVICE.id}/deploymentBase/{number}/feedback".encode(),
        "headers": [(b"authorization", f"TargetToken {TOKEN}".encode())],
        "client": (SOURCE, 1),
    }
    asyncio.run(offering.app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert offering.waiting()["deploymentBase"] == number


# --- what a device says of itself


def say(desk, mode, **attributes):
    return desk.ask("/configData", "PUT", body={"mode": mode, "data": attributes}).status


def test_what_a_device_says_of_itself_is_shown_and_asked_for_once(desk):
    assert say(desk, "merge", hw="1", serial="G-1") == 200
    assert "configData" not in desk.waiting()
    assert say(desk, "merge", hw="2") == 200
    assert say(desk, "remove", serial="") == 200
    assert desk.door.told_of(DEVICE.id)["says"] == {"hw": "2"}
    assert say(desk, "replace", board="x") == 200
    assert desk.door.told_of(DEVICE.id)["says"] == {"board": "x"}


def test_a_device_cannot_fill_the_memory_with_what_it_says(desk):
    assert say(desk, "merge", **{f"a{number}": "x" for number in range(60)}) == 200
    assert say(desk, "merge", **{f"b{number}": "x" for number in range(60)}) == 403
    assert len(desk.door.told_of(DEVICE.id)["says"]) == 60


def test_who_may_not_update_says_nothing_of_itself(desk):
    desk.tracker._drop(DEVICE.id)
    assert say(desk, "merge", hw="1") == 403
    assert desk.door.told_of(DEVICE.id)["says"] == {}


def test_large_files_go_out_in_pieces():
    desk = DdiDesk(limits=Limits(chunk_bytes=100))
    desk.publish()
    number = desk.begin()
    assert desk.ask(f"/softwaremodules/{number}/artifacts/firmware.bin").body == IMAGE


def test_the_numbers_fit_what_clients_take(offering):
    number = offering.begin()
    assert 0 < number < 1 << 31
    assert json.loads(offering.ask(f"/deploymentBase/{number}").body)["id"] == str(number)
