"""From an image to a release that a domain takes, on the command line, and by people who are apart."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.builder import Draft
from thingstead.protocols.suit.registry import Member
from thingstead.simulator.factory import make_maker
from thingstead.simulator.firmware import demo_image
from thingstead.storage.release_folder import ENVELOPE, STATEMENT

IMAGE = ("factory", "image", "image.bin", "--model", "LX-1", "--version", "1.1.0")
NESTED = codec.encode([14, 0])
for _ in range(5):
    NESTED = codec.encode([32, NESTED])
NEW = ("release", "new", "--image", "image.bin", "--model", "LX-1", "--version", "1.1.0", "--sequence", "2")
ANCHOR = "aurora/aurora.anchor"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A maker and an image, made once."""
    folder = tmp_path_factory.mktemp("workshop")
    make_maker(folder / "aurora", name="aurora", domain="aurora.example", at=datetime(2026, 11, 23, tzinfo=UTC))
    (folder / "image.bin").write_bytes(demo_image("LX-1", "1.1.0"))
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch, workshop):
    shutil.copytree(workshop, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lamp(here, run):
    """The folder of a release that nobody has signed, and how its digest begins."""
    code, out, _ = run(*NEW, "--maker", "aurora", "--output", "lamp-2", "--json")
    assert code == 0
    return here / "lamp-2", json.loads(out)["manifest_digest"][:16]


def told(run, *words):
    code, out, err = run(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_three_commands_lead_from_an_image_to_a_published_release(here, run):
    code, out, _ = run(*NEW, "--maker", "aurora")
    assert code == 0
    following = out.splitlines()[-1].removeprefix("next: thingstead ").split()
    assert following[:3] == ["release", "sign", "lx-1-1.1.0"]
    code, out, _ = run(*following)
    assert code == 0
    shown = told(run, "release", "inspect", "lx-1-1.1.0", "--anchor", ANCHOR)
    assert shown["authentic"].startswith("enough for things of aurora")
    assert shown["statement"] == "3 files, signed by the same"
    _, out, _ = run("release", "inspect", "lx-1-1.1.0", "--anchor", ANCHOR)
    assert out.splitlines()[-1] == "next: thingstead release publish lx-1-1.1.0"


def test_the_same_image_gives_the_same_envelope(here, run):
    for name in ("one", "two"):
        assert run(*NEW, "--maker", "aurora", "--output", name)[0] == 0
    assert (here / "one" / ENVELOPE).read_bytes() == (here / "two" / ENVELOPE).read_bytes()
    # What was typed makes it again.
    assert run("release", "new", "one/release.toml", "--output", "three")[0] == 0
    assert (here / "three" / ENVELOPE).read_bytes() == (here / "one" / ENVELOPE).read_bytes()


def test_a_release_is_a_story(here, run, lamp):
    _, out, _ = run("release", "inspect", "lamp-2", "--anchor", ANCHOR)
    for sentence in (
        "go on only on a thing of vendor aurora.example (",
        "(16384 bytes) into firmware",
        "hand over to firmware",
        "image.bin 16384 bytes",
        "has not signed",
        "NOT ENOUGH for things of aurora",
    ):
        assert sentence in out
    assert "release approve lamp-2 --key DIRECTORY --digest" in out.splitlines()[-1]


def test_nobody_signs_what_they_were_not_shown(run, lamp):
    folder, digest = lamp
    for shown in ((), ("--digest", "0" * 16), ("--digest", digest[:4]), ("--digest", "")):
        code, _, err = run("release", "sign", "lamp-2", "--maker", "aurora", *shown)
        assert code == 21
        assert f"expected --digest {digest}" in err
    assert envelope.decode((folder / ENVELOPE).read_bytes()).blocks == ()
    assert not (folder / STATEMENT).exists()


def test_nobody_signs_twice(run, lamp):
    folder, digest = lamp
    words = ("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)
    assert run(*words)[0] == 0
    before = (folder / ENVELOPE).read_bytes()
    code, _, err = run(*words)
    assert code != 0
    assert "signed with each of these keys already" in err
    assert (folder / ENVELOPE).read_bytes() == before


def test_a_manifest_that_was_exchanged_is_not_signed(run, lamp):
    folder, digest = lamp
    encoded = bytearray((folder / ENVELOPE).read_bytes())
    encoded[-1] ^= 1
    (folder / ENVELOPE).write_bytes(encoded)
    code, _, err = run("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)
    assert (code, "the manifest is not the one that was digested" in err) == (21, True)


def test_what_goes_with_a_release_cannot_change_once_somebody_has_signed(here, run, lamp):
    folder, digest = lamp
    (here / "mud.json").write_text("{}")
    assert run("release", "add", "lamp-2", "mud", "mud.json")[0] == 0
    assert run("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)[0] == 0
    code, _, err = run("release", "add", "lamp-2", "mud", "mud.json")
    assert (code, "is signed as it is" in err) == (60, True)
    (folder / "mud.json").write_text('{"a": 1}')
    run("release", "key", "ben")
    code, _, err = run("release", "approve", "lamp-2", "--key", "ben", "--digest", digest)
    assert (code, "what others signed is another statement" in err) == (21, True)


def test_what_was_exchanged_beside_a_signed_manifest_is_told(run, lamp):
    folder, digest = lamp
    inspect = ("release", "inspect", "lamp-2", "--anchor", ANCHOR)
    assert told(run, *inspect)["statement"] == "nobody has signed it"
    assert run("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)[0] == 0
    assert told(run, *inspect[:3])["statement"] == "not checked; give --anchor"
    (folder / "image.bin").write_bytes(b"another")
    assert told(run, *inspect)["statement"] == "NOT PROVED: image.bin is not the one that the statement names"
    (folder / "more").touch()
    assert "expected members that the statement names" in told(run, *inspect)["statement"]
    (folder / STATEMENT).write_bytes(b"\xf6")
    assert told(run, *inspect)["statement"].startswith("NOT PROVED")


def test_a_signature_that_does_not_verify_is_told(run, lamp):
    folder, digest = lamp
    assert run("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)[0] == 0
    signed = envelope.decode((folder / ENVELOPE).read_bytes())
    blocks = (signed.blocks[0][:-1] + bytes([signed.blocks[0][-1] ^ 1]), signed.blocks[1])
    (folder / ENVELOPE).write_bytes(envelope.encode(replace(signed, blocks=blocks)))
    shown = told(run, "release", "inspect", "lamp-2", "--anchor", ANCHOR)
    assert sorted(row["standing"] for row in shown["signatures"]) == ["DOES NOT VERIFY", "has signed"]
    assert shown["authentic"].startswith("NOT ENOUGH")


def hostile(**changes):
    """The envelope of a draft that somebody else wrote."""
    return envelope.encode(builder.assemble(Draft(**{"sequence_number": 1, "components": ((b"a",),), **changes})))


@pytest.mark.parametrize(
    ("encoded", "says"),
    [
        (b"", "expected"),
        (b"\xd8\x6b\xa0", "expected the authentication wrapper"),
        (b"\xd8\x6b" + b"\xa1" * 4000, "expected well-formed CBOR"),
        (bytes((1 << 20) + 1), "expected at most 1048576 bytes"),
        (hostile(shared=((1, 15),) * 300), "expected at most 256 commands"),
        (hostile(shared=((99, 0),)), "the command 99 is not known"),
        (hostile(components=((b"a",),) * 17), "expected a list of at most 16 components"),
        (hostile(sections={Member.INSTALL: ((32, NESTED),)}), "at most 4 sequences in one another"),
        (hostile(texts={"en": {1: "x" * 70_000}}), "expected at most 65536 bytes in member 3"),
        (hostile()[:-1] + b"\x00", "the manifest is not the one that was digested"),
    ],
)
def test_a_hostile_envelope_is_one_clear_sentence(here, run, encoded, says):
    (here / "theirs.suit").write_bytes(encoded)
    code, out, err = run("release", "inspect", "theirs.suit")
    assert code != 0
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 2
    assert len(err) < 500


def test_a_text_of_a_stranger_forges_no_line_of_the_story(here, run):
    text = "fine\n\nsignatures:\n  enough for things of aurora\x1b[8m"
    (here / "theirs.suit").write_bytes(hostile(texts={"en\n": {1: text}}, reference_uri="a\nb", payloads={"#\n": b""}))
    _, out, _ = run("release", "inspect", "theirs.suit")
    assert out.count("signatures:") == out.count("\nsignatures:\n") + 1 == 2
    assert "\x1b" not in out
    assert out.rstrip().splitlines()[-2:][0] == "  not checked; give --anchor"


def test_several_people_sign_apart_and_each_sees_it_first(here, run, lamp):
    _, digest = lamp
    for name, kind in (("ben", "ed25519"), ("cleo", "ml-dsa-65")):
        assert run("release", "key", name, "--type", kind)[0] == 0
        _, out, _ = run("release", "approve", "lamp-2", "--key", name)
        assert "nothing is signed yet" in out
        assert "hand over to firmware" in out
        following = out.splitlines()[-1].removeprefix("next: thingstead ").split()
        assert following[-2:] == ["--digest", digest]
        assert run(*following)[0] == 0
    rows = told(run, "release", "inspect", "lamp-2")["signatures"]
    assert [row["key"].split()[0] for row in rows] == ["Ed25519", "ML-DSA-65"]
    assert all(row["standing"] == "not checked; give --anchor" for row in rows)


def test_signatures_that_people_made_at_the_same_time_are_put_together(here, run, lamp):
    _, digest = lamp
    for name, kind in (("ben", "ed25519"), ("cleo", "p256")):
        assert run("release", "key", name, "--type", kind)[0] == 0
        shutil.copytree(here / "lamp-2", here / f"of-{name}")
        assert run("release", "approve", f"of-{name}", "--key", name, "--digest", digest)[0] == 0
    made = ("factory", "maker", "two", "--name", "two", "--domain", "two.example", "--keys", "none")
    assert run(*made, "--signers", "ben.signer,cleo.signer")[0] == 0
    words = ("release", "collect", "lamp-2", "of-ben", "of-cleo")
    assert told(run, *words) == {"collected": 2, "of_all": 2}
    # Whoever is there already is not there twice, however often a copy comes, and however it was signed.
    assert run("release", "approve", "of-ben", "--key", "cleo", "--digest", digest)[0] == 0
    assert told(run, *words) == {"collected": 0, "of_all": 2}
    shown = told(run, "release", "inspect", "lamp-2", "--anchor", "two/two.anchor")
    assert shown["authentic"].startswith("enough")
    assert shown["statement"] == "3 files, signed by the same"


def test_a_copy_of_another_release_or_with_other_files_brings_no_signatures(here, run, lamp):
    folder, digest = lamp
    before = (folder / ENVELOPE).read_bytes()
    other = told(run, *NEW[:-1], "3", "--maker", "aurora", "--output", "other")["manifest_digest"][:16]
    assert run("release", "sign", "other", "--maker", "aurora", "--digest", other)[0] == 0
    assert "a copy is of another release" in run("release", "collect", "lamp-2", "other")[2]
    assert run("release", "key", "ben")[0] == 0
    shutil.copytree(folder, here / "copy")
    (here / "copy" / "more.txt").touch()
    assert run("release", "sign", "copy", "--maker", "aurora", "--digest", digest)[0] == 0
    assert (folder / ENVELOPE).read_bytes() == before
    assert run("release", "sign", "lamp-2", "--key", "ben", "--digest", digest)[0] == 0
    assert "what others signed is something else" in run("release", "collect", "lamp-2", "copy")[2]


def test_no_envelope_gets_more_signatures_than_things_read(here, run, lamp):
    _, digest = lamp
    for number in range(8):
        assert run("release", "key", f"p{number}", "--type", "ed25519")[0] == 0
        assert run("release", "sign", "lamp-2", "--key", f"p{number}", "--digest", digest)[0] == 0
    code, _, err = run("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)
    assert (code != 0, "expected at most 8 signatures" in err) == (True, True)


@pytest.mark.requirement("R-87")
def test_one_envelope_carries_signatures_of_every_kind_and_a_mac(here, run, lamp):
    _, digest = lamp
    (here / "second-place").mkdir()
    (here / "shared.key").write_bytes(bytes(32))
    assert (
        run("release", "key", "hanna", "--type", "hss-lms", "--second-place", "second-place", "--height", "5")[0] == 0
    )
    made = ("factory", "maker", "hashes", "--name", "hashes", "--domain", "h.example", "--signers", "hanna.signer")
    assert run(*made)[0] == 0
    for whose in (("--maker", "hashes"), ("--key", "hanna")):
        assert run("release", "sign", "lamp-2", *whose, "--digest", digest)[0] == 0
    assert run("release", "key", "ben", "--type", "ed25519")[0] == 0
    words = ("release", "sign", "lamp-2", "--key", "ben", "--mac", "shared.key", "--kid", "0a", "--digest", digest)
    assert run(*words)[0] == 0
    rows = told(run, "release", "inspect", "lamp-2", "--anchor", "hashes/hashes.anchor")["signatures"]
    standing = {row["key"].split(" ")[0]: row["standing"] for row in rows}
    assert {standing[name] for name in ("ESP256", "ML-DSA-44", "HSS-LMS")} == {"has signed"}
    assert standing["Ed25519"] == standing["HMAC"] == "of nobody whom hashes names"


def test_an_envelope_alone_is_signed_where_it_lies(here, run, lamp):
    folder, digest = lamp
    alone = here / "alone.suit"
    alone.write_bytes((folder / ENVELOPE).read_bytes())
    assert run("release", "sign", "alone.suit", "--maker", "aurora", "--digest", digest)[0] == 0
    assert len(envelope.decode(alone.read_bytes()).blocks) == 2


def test_a_release_file_makes_a_folder_with_words_for_the_owner(here, run):
    (here / "lamp.toml").write_text(
        'vendor = "aurora.example"\nmodel = "LX-1"\nsequence = 3\n[[component]]\nimage = "image.bin"\n'
        '[words]\nen = "It dims."\n'
    )
    assert run("release", "new", "lamp.toml")[0] == 0
    assert json.loads((here / "lamp" / "words.json").read_text()) == {"en": "It dims."}
    assert sorted(path.name for path in (here / "lamp").iterdir()) == [
        "image.bin",
        "reference.corim",
        "release.suit",
        "release.toml",
        "words.json",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("new",), "expected a release file, or --image"),
        (("new", "absent.toml"), "expected a file at"),
        (("new", "image.bin"), "expected UTF-8 in"),
        (("new", "lamp.toml", "--model", "LX-1"), "expected --model with --image alone"),
        ((*NEW[1:-2], "--maker", "aurora"), "expected --sequence with --image"),
        (NEW[1:], "expected --maker, whose DNS name is the vendor's, or --vendor"),
        ((*NEW[1:], "--maker", "nobody"), "no maker at"),
        ((*NEW[1:], "--vendor", "aurora"), "vendor: expected a DNS name"),
        ((*NEW[1:], "--maker", "aurora", "--output", "aurora"), "expected an empty folder"),
        (("sign", "aurora", "--maker", "aurora"), "no release is in"),
        (("inspect", "absent"), "expected a file at"),
        (("inspect", "image.bin"), "expected"),
        (("inspect", "lamp-2", "--anchor", "image.bin"), "expected"),
        (("sign", "lamp-2", "--digest", "DIGEST"), "expected somebody who signs"),
        (("sign", "lamp-2", "--mac", "image.bin", "--digest", "DIGEST"), "expected --kid with --mac"),
        (("sign", "lamp-2", "--mac", "image.bin", "--kid", "0a", "--digest", "DIGEST"), "expected at most 32 bytes"),
        (("sign", "lamp-2", "--key", "nobody", "--digest", "DIGEST"), "no release key is in"),
        (("key", "ben", "--type", "hss-lms"), "expected --second-place with --type hss-lms"),
        (("key", "ben", "--second-place", "."), "expected --second-place with --type hss-lms"),
        (("key", "ben", "--type", "hss-lms", "--second-place", "absent"), "expected a second place that is there"),
        (("key", "ben", "--token", "pkcs11:"), "expected a module-path"),
        (("add", "lamp-2", "sbom", "image.bin"), "expected an object in JSON for sbom.cdx.json"),
        (("add", "lamp-2", "reference-values", "image.bin"), "expected a CoRIM"),
        (("add", "lamp-2", "music", "image.bin"), "expected"),
        (("publish", "aurora"), "no release is in"),
        (("publish", "lamp-2/release.suit"), "expected the folder of a release, or an envelope and its image"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(here, run, lamp, words, says):
    (here / "lamp.toml").write_text("sequence = 1\n")
    code, _, err = run("release", *[lamp[1] if word == "DIGEST" else word for word in words])
    assert code != 0
    assert says in err.replace("\n", " ") or says == "expected"
    assert err.count("\n") <= 2


def test_things_that_run_the_image_before_get_the_difference_to_it(here, run):
    (here / "old.bin").write_bytes(demo_image("LX-1", "1.0.0"))
    made = told(run, *NEW, "--maker", "aurora", "--output", "lamp-2", "--delta-from", "old.bin")
    whole = told(run, *NEW, "--maker", "aurora", "--output", "whole")
    assert made["manifest_digest"] != whole["manifest_digest"]
    shown = told(run, "release", "inspect", "lamp-2")
    assert len(shown["payloads"]) == 1
    code, _, err = run(*NEW, "--maker", "aurora", "--output", "x", "--delta-from", "absent.bin")
    assert (code, "component[1].delta_from: expected a file at" in err) == (60, True)


def test_an_image_of_any_name_travels_under_one_that_a_statement_has(here, run):
    (here / "My Image (2).BIN").write_bytes((here / "image.bin").read_bytes())
    words = [word if word != "image.bin" else "My Image (2).BIN" for word in NEW]
    digest = told(run, *words, "--maker", "aurora", "--output", "lamp-2")["manifest_digest"][:16]
    assert run("release", "sign", "lamp-2", "--maker", "aurora", "--digest", digest)[0] == 0
    assert (here / "lamp-2" / "my-image-2-.bin").exists()


def test_a_release_of_two_images_is_not_published_as_if_it_were_one(here, run):
    (here / "radio.bin").write_bytes(b"radio")
    (here / "two.toml").write_text(
        'vendor = "aurora.example"\nmodel = "LX-1"\nsequence = 3\n[[component]]\nname = "a"\nimage = "image.bin"\n'
        '[[component]]\nname = "b"\nimage = "radio.bin"\nuri = "/radio"\n'
    )
    assert run("release", "new", "two.toml")[0] == 0
    code, _, err = run("release", "publish", "two")
    assert (code, "at the first place: image.bin, radio.bin" in err) == (60, True)


def test_of_several_images_the_first_is_named_and_the_others_go_by_their_names(here, run, controller):
    (here / "radio.bin").write_bytes(b"radio")
    (here / "two.toml").write_text(
        'vendor = "aurora.example"\nmodel = "LX-1"\nsequence = 3\n[[component]]\nimage = "image.bin"\n'
        '[[component]]\nname = "radio"\nimage = "radio.bin"\n'
    )
    assert run("release", "new", "two.toml")[0] == 0
    assert run("release", "publish", "two")[0] == 0
    ((_, arguments),) = controller.asked
    assert arguments["image"] == str(controller.path.parent / "two" / "image.bin")


def test_a_folder_is_published_with_the_image_that_its_manifest_is_about(run, controller):
    run("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")
    run(*IMAGE)
    assert run(*NEW, "--maker", "aurora", "--output", "lamp-2")[0] == 0
    assert run("release", "publish", "lamp-2")[0] == 0
    (asked,) = controller.asked
    assert asked[1] == {
        "envelope": str(controller.path.parent / "lamp-2" / "release.suit"),
        "image": str(controller.path.parent / "lamp-2" / "image.bin"),
        "folder": str(controller.path.parent / "lamp-2"),
    }
    (controller.path.parent / "lamp-2" / "image.bin").write_bytes(b"another")
    code, _, err = run("release", "publish", "lamp-2")
    assert (code, "no file in" in err) == (60, True)


def test_a_maker_whose_people_have_the_keys_needs_so_many_of_them(here, run):
    for name, kind in (("ben", "p256"), ("cleo", "ed25519"), ("dan", "ml-dsa-44")):
        assert run("release", "key", name, "--type", kind)[0] == 0
    signers = ("--signers", "ben.signer,cleo.signer,dan.signer")
    made = ("factory", "maker", "three", "--name", "three", "--domain", "three.example", "--keys", "none", *signers)
    assert run(*made, "--threshold", "2")[0] == 0
    digest = told(run, *NEW, "--maker", "three", "--output", "lamp-3")["manifest_digest"][:16]
    assert "expected somebody who signs" in run("release", "sign", "lamp-3", "--maker", "three", "--digest", digest)[2]
    for name, verdict in (("ben", "NOT ENOUGH"), ("dan", "enough")):
        assert run("release", "approve", "lamp-3", "--key", name, "--digest", digest)[0] == 0
        shown = told(run, "release", "inspect", "lamp-3", "--anchor", "three/three.anchor")
        assert shown["authentic"].startswith(verdict)
    standing = {row["key"].split()[0]: row["standing"] for row in shown["signatures"]}
    assert standing == {"ESP256": "has signed", "Ed25519": "has not signed", "ML-DSA-44": "has signed"}


def test_a_key_on_a_token_signs_and_never_leaves_it(here, run, lamp, token):
    _, digest = lamp
    assert run("release", "key", "vault", "--token", token("release"))[0] == 0
    assert not (here / "vault").exists()
    made = ("factory", "maker", "hsm", "--name", "hsm", "--domain", "hsm.example", "--keys", "none")
    assert run(*made, "--signers", "vault.signer")[0] == 0
    assert run("release", "sign", "lamp-2", "--token", token("release"), "--digest", digest)[0] == 0
    assert told(run, "release", "inspect", "lamp-2", "--anchor", "hsm/hsm.anchor")["authentic"].startswith("enough")


def test_a_pin_comes_from_a_file_or_the_environment_and_nowhere_else(run, lamp, token, monkeypatch):
    _, digest = lamp
    uri = token("edwards").partition("&")[0]
    words = ("release", "sign", "lamp-2", "--digest", digest, "--token")
    for asked, said in ((uri, "expected pin-source=FILE"), (f"{uri}&pin-value=1234", "expected the PIN in a file")):
        code, _, err = run(*words, asked)
        assert (code != 0, said in err) == (True, True)
    monkeypatch.setenv("THINGSTEAD_TOKEN_PIN", "0000")
    assert "does not take the PIN" in run(*words, uri)[2]
    monkeypatch.setenv("THINGSTEAD_TOKEN_PIN", "1234")
    assert run(*words, uri)[0] == 0
