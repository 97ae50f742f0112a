import hashlib
import json

import pytest

from thingstead.protocols.ddi.answer import (
    Links,
    artifact,
    encode_artifacts,
    encode_base,
    encode_cancel,
    encode_deployment,
)

LINKS = Links("https://updates.example:8443", "thing-a")
ROOT = "https://updates.example:8443/default/controller/v1/thing-a"


def base(**changes):
    told = {"poll_seconds": 300, "deployment": None, "cancel": None, "wants_config": False, **changes}
    return json.loads(encode_base(LINKS, **told))


@pytest.mark.parametrize(("seconds", "sleep"), [(1, "00:00:01"), (300, "00:05:00"), (86_399, "23:59:59")])
def test_a_device_is_told_when_to_come_again(seconds, sleep):
    assert base(poll_seconds=seconds) == {"config": {"polling": {"sleep": sleep}}, "_links": {}}


def test_what_waits_is_a_link():
    assert base(deployment=7, wants_config=True)["_links"] == {
        "deploymentBase": {"href": f"{ROOT}/deploymentBase/7"},
        "configData": {"href": f"{ROOT}/configData"},
    }


def test_a_cancellation_comes_before_the_next_deployment():
    assert base(deployment=8, cancel=7)["_links"] == {"cancelAction": {"href": f"{ROOT}/cancelAction/7"}}


@pytest.mark.parametrize(
    ("payload", "name"),
    [(b"070702...", "firmware.swu"), (b"070701...", "firmware.swu"), (b"hsqs...", "firmware.raucb"),
     (b"anything", "firmware.bin"), (b"", "firmware.bin")],
)  # fmt: skip
def test_a_payload_has_the_ending_that_its_client_looks_for(payload, name):
    described = artifact(payload)
    assert (described.name, described.size) == (name, len(payload))
    assert described.sha256 == hashlib.sha256(payload).hexdigest()
    assert described.sha1 == hashlib.sha1(payload).hexdigest()
    assert described.md5 == hashlib.md5(payload).hexdigest()


def test_a_deployment_has_one_chunk_with_one_artifact():
    payload = artifact(b"070702 image")
    told = json.loads(encode_deployment(LINKS, 7, version="1.1.0", payload=payload))
    assert told["id"] == "7"
    assert (told["deployment"]["download"], told["deployment"]["update"]) == ("forced", "forced")
    (chunk,) = told["deployment"]["chunks"]
    assert (chunk["part"], chunk["version"]) == ("os", "1.1.0")
    (one,) = chunk["artifacts"]
    assert one["hashes"] == {"sha1": payload.sha1, "md5": payload.md5, "sha256": payload.sha256}
    file = f"{ROOT}/softwaremodules/7/artifacts/firmware.swu"
    assert one["_links"]["download"]["href"] == one["_links"]["download-http"]["href"] == file
    assert one["_links"]["md5sum"]["href"] == f"{file}.MD5SUM"
    assert json.loads(encode_artifacts(LINKS, 7, payload)) == [one]


def test_no_link_leads_elsewhere_than_to_the_domain():
    told = encode_deployment(LINKS, 7, version="1", payload=artifact(b"x")) + encode_base(
        LINKS, poll_seconds=1, deployment=7, cancel=None, wants_config=True
    )
    assert told.count(b"https://") == told.count(ROOT.encode()) > 0
    assert b"http://" not in told


def test_a_cancellation_names_what_is_to_stop():
    assert json.loads(encode_cancel(7)) == {"id": "7", "cancelAction": {"stopId": "7"}}
