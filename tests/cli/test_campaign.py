"""What commands on campaigns ask, what they make of the answers, and taking a release back."""

import json

import pytest

from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.storage.release_folder import ReleaseFolder

SHOWN = {
    "campaign": "LX-1/3",
    "status": "aborted",
    "story": ["Version 1.2.0 for LX-1 things of aurora. 1 of 4 run it."],
    "plan": ["Everybody at once."],
    "asleep": ["thing-sleepysleepysleep"],
    "places": [
        {"thing": "thing-a", "serial": "A-1", "zone": "hall", "standing": "installed", "why": "", "offered_at": None},
        {
            "thing": "thing-b",
            "serial": "A-2",
            "zone": "hall",
            "standing": "waiting",
            "why": "it waits",
            "offered_at": None,
        },
    ],
}
BASIS = {
    "campaign": "LX-1/3",
    "maker": "aurora",
    "model": "LX-1",
    "installed": 1,
    "next": 4,
    "before": [{"campaign": "LX-1/2", "version": "1.1.0", "image": "00"}],
}


def test_what_is_shown_is_the_story_and_who_has_not_got_it(run, controller):
    controller.answer = {"result": SHOWN}
    code, out, _ = run("campaign", "show", "LX-1")
    assert code == 0
    assert out.startswith("Version 1.2.0 for LX-1 things of aurora. 1 of 4 run it.\nEverybody at once.\n")
    assert "Not heard of in time: thing-sleepysleepysleep" in out
    assert ("A-2" in out, "A-1" in out) == (True, False)
    assert out.rstrip().endswith("next: thingstead campaign rollback LX-1/3")


def test_a_program_is_shown_everything(run, controller):
    controller.answer = {"result": SHOWN}
    assert json.loads(run("campaign", "show", "LX-1", "--json")[1]) == SHOWN


@pytest.mark.parametrize("name", ["pause", "resume", "advance", "abort"])
def test_what_stops_or_moves_one_asks_for_that(run, controller, name):
    controller.answer = {"result": {"campaign": "LX-1/3"}}
    run("campaign", name, "LX-1")
    assert controller.asked == [(f"campaign.{name}", {"campaign": "LX-1"})]


def test_options_are_a_plan_as_a_file_is(run, controller, tmp_path):
    (tmp_path / "plan.toml").write_text('stages = [1, "100%"]\n')
    run("release", "publish", "lamp.suit", "image.bin", "--plan", "plan.toml")
    words = ("--stages", "1, 10%,100%", "--quiet-hours", "22:00-06:00", "--zone-share", "25%", "--abort", "5%")
    run("release", "publish", "lamp.suit", "image.bin", *words)
    (_, by_file), (_, by_options) = controller.asked
    assert by_file["plan"] == 'stages = [1, "100%"]\n'
    assert by_options["plan"].splitlines() == [
        'stages = ["1", "10%", "100%"]',
        'quiet = ["22:00-06:00"]',
        'abort = ["5%"]',
        'zone_share = "25%"',
    ]
    assert not set(by_options) & {"stages", "quiet_hours", "zone_share", "abort", "time_zone"}


def test_a_preview_says_it_in_words_and_names_the_command_that_does_it(run, controller):
    controller.answer = {"result": {"model": "LX-1", "things": 4, "plan": ["First 1 of them in all; then everybody."]}}
    code, out, _ = run("campaign", "preview", "LX-1", "--stages", "1,100%")
    assert code == 0
    assert out.startswith("First 1 of them in all; then everybody.\n")
    assert "next: thingstead release publish RELEASE --stages 1,100%" in out
    ((operation, arguments),) = controller.asked
    assert (operation, arguments) == ("campaign.preview", {"model": "LX-1", "plan": 'stages = ["1", "100%"]\n'})


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--plan", "nowhere.toml"), "nowhere.toml"),
        (("--plan", "plan.toml", "--stages", "1,100%"), "not both: stages"),
        (("--plan", "latin.toml"), "expected UTF-8"),
    ],
)
def test_a_plan_that_cannot_be_taken_is_refused_before_anybody_is_asked(run, controller, tmp_path, words, why):
    (tmp_path / "plan.toml").write_text("")
    (tmp_path / "latin.toml").write_bytes(b"# \xe4")
    code, _, err = run("campaign", "preview", "LX-1", *words)
    assert (code != 0, why in err, controller.asked) == (True, True, [])


def test_another_plan_is_sent_as_its_text(run, controller):
    controller.answer = {"result": {"campaign": "LX-1/3"}}
    run("campaign", "replan", "LX-1", "--stages", "100%")
    assert controller.asked == [("campaign.replan", {"campaign": "LX-1", "plan": 'stages = ["100%"]\n'})]


def test_no_plan_is_no_other_plan(run, controller):
    code, _, err = run("campaign", "replan", "LX-1")
    assert (code != 0, "expected --plan" in err, controller.asked) == (True, True, [])


# --- taking a release back


def test_without_a_maker_it_is_said_what_the_maker_has_to_sign(run, controller):
    controller.answer = {"result": BASIS}
    code, out, _ = run("campaign", "rollback", "LX-1")
    assert code == 0
    assert "1.1.0 (LX-1/2), image 00" in out
    assert "aurora signs an older release under a higher one" in out
    assert out.rstrip().endswith("next: thingstead campaign rollback LX-1/3 --release FOLDER --maker MAKER")
    assert [operation for operation, _ in controller.asked] == ["campaign.basis"]


@pytest.fixture
def older(run, tmp_path):
    """A maker, and the folder of a release that it signed once."""
    run("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")
    run("factory", "image", "old.bin", "--model", "LX-1", "--version", "1.1.0")
    made = ("--model", "LX-1", "--version", "1.1.0", "--sequence", "2", "--maker", "aurora", "--output", "lamp-2")
    assert run("release", "new", "--image", "old.bin", *made)[0] == 0
    return tmp_path / "lamp-2"


def test_the_older_release_is_signed_and_published_again_in_one_step(run, controller, older, tmp_path):
    controller.answers = [{"result": BASIS}, {"result": {"model": "LX-1", "version": "1.1.0"}}]
    code, out, err = run("campaign", "rollback", "LX-1", "--release", "lamp-2", "--maker", "aurora")
    assert (code, err) == (0, "")
    _, (operation, asked) = controller.asked
    again = ReleaseFolder(tmp_path / "lamp-2-4")
    assert (operation, asked["folder"]) == ("release.publish", str(again.root))
    assert asked["plan"] == 'stages = ["100%"]\n', "nobody is kept waiting"
    signed = envelope.decode(again.envelope)
    assert (decode_manifest(signed).sequence_number, len(signed.blocks)) == (4, 2)
    assert again.statement
    assert "no earlier release here had that image" in out
    assert out.rstrip().endswith("next: thingstead campaign show LX-1/4")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda folder: (folder / "release.toml").unlink(), "expected release.toml"),
        (lambda folder: (folder / "release.toml").write_text('model = "LX-1"\n'), "expected a line `sequence = N`"),
        (lambda folder: (folder / "old.bin").unlink(), "expected old.bin"),
        (lambda folder: (folder / "release.suit").unlink(), "no release is in"),
    ],
    ids=["no recipe", "no number", "no image", "no release"],
)
def test_a_folder_that_is_not_whole_publishes_nothing(run, controller, older, damage, why):
    controller.answer = {"result": BASIS}
    damage(older)
    code, _, err = run("campaign", "rollback", "LX-1", "--release", "lamp-2", "--maker", "aurora")
    assert (code != 0, why in err) == (True, True), err
    assert [operation for operation, _ in controller.asked] == ["campaign.basis"]


def test_what_is_signed_once_is_not_written_over(run, controller, older):
    controller.answer = {"result": BASIS}
    run("campaign", "rollback", "LX-1", "--release", "lamp-2", "--maker", "aurora")
    code, _, err = run("campaign", "rollback", "LX-1", "--release", "lamp-2", "--maker", "aurora")
    assert (code != 0, "expected an empty folder" in err) == (True, True)
