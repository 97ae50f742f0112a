"""``thingstead oscore``: no Sender ID gets two users, no number is forgotten, and no key is shown."""

import fcntl
import json

import pytest

from tests.cli.test_coap import Serving
from thingstead.storage.oscore_context import ContextFile, Sequences

SECRET = "0102030405060708090a0b0c0d0e0f10"
CONF = f'master_secret,hex,"{SECRET}"\nsender_id,ascii,"a"\nrecipient_id,ascii,"b"\n'
SETTINGS = json.dumps({"secret_hex": SECRET, "sender-id_ascii": "a", "recipient-id_ascii": "b"})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sequences(path):
    file = ContextFile.open(path)
    file.close()
    return file.sequences


def conf(here, sequence=None):
    path = here / "client.conf"
    path.write_text(CONF)
    if sequence is not None:
        (here / "client.conf.seq").write_text(f"{sequence}\n")
    return path


def directory(here, sequence=None):
    path = here / "client"
    path.mkdir()
    (path / "settings.json").write_text(SETTINGS)
    if sequence is not None:
        (path / "sequence.json").write_text(json.dumps({"next-to-send": sequence, "received": "unknown"}))
    return path


def test_a_new_context_is_of_its_owner_only_and_shows_no_key(run, here):
    code, out, _ = run("oscore", "create", "lamp.oscore")
    assert code == 0
    assert (here / "lamp.oscore").stat().st_mode & 0o777 == 0o600
    shown = out + run("oscore", "show", "lamp.oscore")[1] + run("oscore", "show", "lamp.oscore", "--json")[1]
    assert json.loads((here / "lamp.oscore").read_bytes())["master_secret"] not in shown
    assert "AES-CCM-16-64-128" in shown


def test_two_contexts_have_two_keys(run, here):
    for name in ("one", "two"):
        run("oscore", "create", name)
    keys = [json.loads((here / name).read_bytes())["master_secret"] for name in ("one", "two")]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["create", "x", "--sender-id", "01", "--recipient-id", "01"], 11, "two different identifiers"),
        (["create", "x", "--sender-id", "00" * 8], 11, "at most 7 bytes"),
        (["create", "x", "--sender-id", "x"], 60, "expected hexadecimal digits"),
        (["create", "x", "--aead", "ROT13"], 60, "invalid choice"),
        (["create", "there"], 60, "is there already"),
        (["show", "absent"], 60, "expected an OSCORE context"),
        (["import", "absent", "--output", "x"], 60, "expected a file"),
        (["import", "there", "--output", "there"], 60, "is there already"),
        (["import", "there", "--output", "x"], 11, "keyword,encoding,value"),
        (["export", "there", "--form", "libcoap", "--output", "there"], 60, "is there already"),
        (["export", "there", "--form", "ours", "--output", "x"], 60, "invalid choice"),
        (["export", "there", "--form", "libcoap", "--output", "x", "--sequence", "-1"], 60, "at least 0"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(run, here, words, code, says):
    run("oscore", "create", "there")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    got, out, err = run("oscore", *words)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2
    assert {path.name: path.read_bytes() for path in here.iterdir() if not path.name.endswith(".lock")} == {
        name: data for name, data in before.items() if not name.endswith(".lock")
    }


@pytest.mark.spec("RFC 8613 7.2.1")
@pytest.mark.parametrize("make", [conf, directory])
def test_what_is_taken_over_carries_its_number_and_leaves_its_place(run, here, make):
    source = make(here, sequence=17)
    code, out, _ = run("oscore", "import", source.name, "--output", "ours")
    assert code == 0
    assert SECRET not in out
    assert sequences(here / "ours") == Sequences(17)
    assert not source.exists()
    assert (here / f"{source.name}.moved").exists()


@pytest.mark.spec("RFC 8613 7.2.1")
def test_what_says_nothing_of_its_numbers_is_not_taken_over_unasked(run, here):
    source = conf(here)
    code, _, err = run("oscore", "import", source.name, "--output", "ours")
    assert (code, source.exists()) == (60, True)
    assert "Sender ID 61" in err
    assert run("oscore", "import", source.name, "--output", "ours", "--sequence", 5)[0] == 0
    assert sequences(here / "ours") == Sequences(5)


@pytest.mark.parametrize(("told", "kept"), [(5, 17), (50, 50)])
def test_no_word_makes_a_number_smaller_than_the_files_say(run, here, told, kept):
    run("oscore", "import", directory(here, sequence=17).name, "--output", "ours", "--sequence", told)
    assert sequences(here / "ours").sender == kept


def test_a_directory_that_aiocoap_never_used_is_new(run, here):
    run("oscore", "import", directory(here).name, "--output", "ours")
    assert sequences(here / "ours") == Sequences(0, is_new=True)


def test_a_directory_that_aiocoap_uses_now_is_not_taken_over(run, here):
    source = directory(here, sequence=17)
    with (source / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, err = run("oscore", "import", source.name, "--output", "ours")
    assert (code, source.exists()) == (60, True)
    assert "aiocoap uses" in err


@pytest.mark.parametrize("make", [conf, directory])
def test_the_other_half_leaves_the_source_where_it_is(run, here, make):
    source = make(here, sequence=17)
    assert run("oscore", "import", source.name, "--output", "ours", "--peer")[0] == 60
    assert run("oscore", "import", source.name, "--output", "ours", "--peer", "--sequence", 0)[0] == 0
    file = ContextFile.open(here / "ours")
    assert (file.parameters.sender_id, file.sequences) == (b"b", Sequences(0))
    file.close()
    assert source.exists()


FORMS = ["libcoap", "aiocoap", "thingstead"]


@pytest.mark.spec("RFC 8613 7.2.1")
@pytest.mark.parametrize("form", FORMS)
def test_a_half_is_exported_once(run, here, form):
    run("oscore", "create", "ours")
    for half in ([], ["--peer"]):
        words = ["oscore", "export", "ours", "--form", form, *half, "--output"]
        assert run(*words, f"theirs{len(half)}")[0] == 0
        code, _, err = run(*words, "again")
        assert (code, (here / "again").exists()) == (13, False)
        assert "another party holds it" in err
    assert run("coap", "get", "coap://[::1]:1/", "--oscore", "ours")[0] == 13


@pytest.mark.spec("RFC 8613 B.1.1")
@pytest.mark.parametrize("form", FORMS)
def test_what_is_exported_comes_back_with_its_number(run, here, form):
    run("oscore", "create", "ours", "--id-context", "37")
    file = ContextFile.open(here / "ours")
    file.reserve(300)
    file.close()
    run("oscore", "export", "ours", "--form", form, "--output", "theirs")
    if form != "thingstead":
        run("oscore", "import", "theirs", "--output", "back")
    back = ContextFile.open(here / ("theirs" if form == "thingstead" else "back"))
    back.close()
    assert (back.parameters, back.sequences) == (file.parameters, Sequences(300))


def test_what_the_other_stack_cannot_take_stays_here(run, here):
    run("oscore", "create", "ours", "--aead", "A128GCM")
    code, _, err = run("oscore", "export", "ours", "--form", "libcoap", "--output", "theirs")
    assert (code, sequences(here / "ours").sender, (here / "theirs").exists()) == (12, 0, False)
    assert "AES-CCM" in err


@pytest.mark.parametrize("form", FORMS)
def test_what_is_exported_is_of_its_owner_only(run, here, form):
    run("oscore", "create", "ours")
    _, out, _ = run("oscore", "export", "ours", "--form", form, "--output", "theirs")
    made = here / "theirs"
    for path in [made, *(made.iterdir() if made.is_dir() else [])]:
        assert path.stat().st_mode & 0o077 == 0
    assert json.loads((here / "ours").read_bytes())["master_secret"] not in out


def test_both_halves_talk(run, here):
    run("oscore", "create", "ours", "--aead", "ChaCha20/Poly1305")
    run("oscore", "export", "ours", "--form", "thingstead", "--peer", "--output", "theirs")
    with Serving("::1", oscore=[here / "theirs"]) as server:
        assert run("coap", "get", f"{server.uri}/text", "--oscore", "ours") == (0, "warm ü\n", "")
