import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.ddi.route import Resource, Route, route

DEVICE = "thing-abcdefghijklmnop"
ROOT = f"/default/controller/v1/{DEVICE}"
KNOWN = {
    ("GET", ""): Route(Resource.BASE, DEVICE),
    ("HEAD", ""): Route(Resource.BASE, DEVICE),
    ("PUT", "/configData"): Route(Resource.CONFIG_DATA, DEVICE),
    ("GET", "/deploymentBase/7"): Route(Resource.DEPLOYMENT, DEVICE, 7),
    ("POST", "/deploymentBase/7/feedback"): Route(Resource.DEPLOYMENT_FEEDBACK, DEVICE, 7),
    ("GET", "/cancelAction/7"): Route(Resource.CANCEL, DEVICE, 7),
    ("POST", "/cancelAction/7/feedback"): Route(Resource.CANCEL_FEEDBACK, DEVICE, 7),
    ("GET", "/softwaremodules/7/artifacts"): Route(Resource.ARTIFACTS, DEVICE, 7),
    ("GET", "/softwaremodules/7/artifacts/firmware.swu"): Route(Resource.ARTIFACT, DEVICE, 7, "firmware.swu"),
    ("GET", "/softwaremodules/7/artifacts/firmware.swu.MD5SUM"): Route(Resource.CHECKSUM, DEVICE, 7, "firmware.swu"),
}


@pytest.mark.parametrize(("method", "rest"), KNOWN)
def test_every_path_of_the_api_leads_to_its_resource(method, rest):
    assert route(method, (ROOT + rest).encode()) == KNOWN[method, rest]


def test_the_tenant_is_written_either_way():
    assert route("GET", ROOT.replace("default", "DEFAULT").encode()).resource is Resource.BASE


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "",
        "*",
        "/other/controller/v1/thing-a",
        "/default/controller/v2/thing-a",
        ROOT + "/",
        ROOT + "//configData",
        "/" + ROOT,
        ROOT.upper(),
        ROOT + "/../thing-b",
        ROOT + "/%2e%2e/thing-b",
        ROOT + "/deploymentBase/07",
        ROOT + "/deploymentBase/-7",
        ROOT + "/deploymentBase/7 ",
        ROOT + "/deploymentBase/7\n",
        ROOT + "/deploymentBase/99999999999",
        ROOT + "/deploymentBase/7/feedback/",
        ROOT + "/installedBase/7",
        ROOT + "/softwaremodules/7/artifacts/",
        ROOT + "/softwaremodules/7/artifacts/../../secret.key",
        ROOT + "/softwaremodules/7/artifacts/..%2fsecret.key",
        ROOT + "/softwaremodules/7/artifacts/.hidden",
        ROOT + "/softwaremodules/7/artifacts/firmware.swu%00.txt",
        ROOT + "/softwaremodules/7/artifacts/" + "x" * 70 + ".swu",
        "https://elsewhere.example" + ROOT,
        ROOT + "?x",
    ],
)
def test_any_other_spelling_leads_nowhere(target):
    with pytest.raises(DecodeError) as refusal:
        route("GET", target.encode())
    assert refusal.value.reason == "path"


@pytest.mark.parametrize(
    ("method", "rest"),
    [("POST", ""), ("DELETE", ""), ("GET", "/configData"), ("PUT", "/deploymentBase/7/feedback"),
     ("HEAD", "/cancelAction/7/feedback"), ("get", ""), ("TRACE", ""), ("CONNECT", "/deploymentBase/7")],
)  # fmt: skip
def test_another_method_is_refused(method, rest):
    with pytest.raises(UnsupportedError) as refusal:
        route(method, (ROOT + rest).encode())
    assert refusal.value.reason == "method"
