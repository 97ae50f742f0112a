"""What a capture of a join tells: dumpcap records the sockets of a running domain and thing, and tshark reads it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import require
from tests.unit.protocols.edhoc.eavesdropper import Eavesdropper
from thingstead.agent import association as kept
from thingstead.cli import main as cli
from thingstead.crypto.digest import digest
from thingstead.crypto.keystore import FileKeyStore
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.code import is_request
from thingstead.protocols.coap.message import decode
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.cwt import ccs, token
from thingstead.protocols.edhoc.coap_carriage import parse_request
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.profile import birth, join
from thingstead.simulator import key_log

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.spec("RFC 9528 9.1")]

SCRIPT = Path(__file__).parent / "recorded_join.py"
SERIAL, MODEL, MAKER = "SERIAL-4711", "LX-77", "aurora-works"
PIECE = 6
_RULE = f'\n[[rule]]\nname = "lamps"\nmakers = ["{MAKER}"]\nscope = "thing"\n'


class Recording:
    """A thing that joined twice, what was recorded of it, and what lies on both disks afterwards."""

    def __init__(self, folder, tshark):
        self.folder, self.tshark = folder, tshark
        self.birth = birth.decode((folder / "lamp" / "home" / birth.BIRTH).read_bytes())
        self.members = [kept.decode((folder / name).read_bytes()) for name in ("first", "second")]
        self.joins = self._joins()

    def read(self, *fields, keys=None):
        """Fields of each frame as tshark reads them, with OSCORE contexts of these members."""
        environment = dict(os.environ)
        with tempfile.TemporaryDirectory(dir=self.folder) as settings:
            environment["WIRESHARK_CONFIG_DIR"] = settings
            if keys is not None:
                Path(settings, key_log.FILE).write_text(key_log.render(keys))
            words = [self.tshark, "-r", self.folder / "join.pcapng", "-Y", "coap", "-T", "fields"]
            shown = subprocess.run(
                [*words, *(word for field in fields for word in ("-e", field))],
                env=environment, capture_output=True, text=True, check=True,
            )  # fmt: skip
        return [line.split("\t") for line in shown.stdout.splitlines()]

    @property
    def datagrams(self):
        return [bytes.fromhex(row[0]) for row in self.read("udp.payload")]

    def _joins(self):
        """The EDHOC messages of each join: requests that were repeated count once, blocks are put together."""
        rows = self.read("coap.mid", "coap.code", "coap.opt.uri_path_recon", "udp.payload")
        heard = {(row[0], row[1]): decode(bytes.fromhex(row[3])) for row in rows if row[2].endswith("/edhoc")}
        said: list[bytes] = []
        for message in heard.values():
            block = message.option(OptionNumber.BLOCK2)
            if block is not None and decode_block(block).num > 0:
                said[-1] += b"" if is_request(message.code) else message.payload
            elif message.payload:
                said.append(parse_request(message.payload)[1] if is_request(message.code) else message.payload)
        return [said[at : at + 4] for at in range(0, len(said), 4)]

    def eavesdropper(self, messages):
        domain = self.members[0].domain_credential
        thing = join.identity_credential(self.birth.maker_identity, ccs.decode(self.birth.maker_identity).public)
        return Eavesdropper(cipher_suite(join.SUITES[0]), messages, cred_i=thing.cred, cred_r=domain)

    def leaked(self):
        """Every private key of thing, domain and maker."""
        stores = [FileKeyStore(self.folder / place / "keys") for place in ("lamp", "home", "maker")]
        return [store.handle(name) for store in stores for name in store.ids()]


@pytest.fixture(scope="module")
def recording(program):
    tools = [program("dumpcap", package="tshark"), program("ip", package="iproute2")]
    tshark, unshare = program("tshark", package="tshark"), program("unshare", package="util-linux")
    works = subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0
    require(works, "network namespaces of a user", "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0")
    with tempfile.TemporaryDirectory(prefix="join-") as name:
        folder = Path(name)
        home, maker, lamp = (str(folder / place) for place in ("home", "maker", "lamp"))
        for words in (
            ("init", home, "--profile", "home"),
            ("factory", "maker", maker, "--name", MAKER, "--domain", "aurora.example"),
            ("trust", "add", home, f"{maker}/{MAKER}.anchor"),
            ("factory", "thing", lamp, "--maker", maker, "--model", MODEL, "--serial", SERIAL, "--for", home),
        ):
            assert cli.main(list(words)) == 0
        with (folder / "home" / "policy.toml").open("a") as policy:
            policy.write(_RULE)
        environment = {**os.environ, "PYTHONPATH": ":".join(path for path in sys.path if path)}
        subprocess.run([unshare, "-rn", sys.executable, SCRIPT, folder, *tools], env=environment, check=True)
        yield Recording(folder, tshark)


def pieces(data):
    return {data[at : at + PIECE] for at in range(len(data) - PIECE + 1)}


@pytest.mark.timeout(120)
def test_tshark_reads_two_joins_and_under_oscore_not_even_a_path(recording):
    assert [len(messages) for messages in recording.joins] == [4, 4]
    behind = [row for row in recording.read("oscore", "coap.opt.uri_path_recon", "oscore.opt.uri_path") if row[0]]
    assert len(behind) > 10
    assert all(row[1:] == ["", ""] for row in behind)


@pytest.mark.requirement("R-61")
def test_nothing_on_the_wire_says_who_joins(recording):
    identity = recording.birth.maker_identity
    thing, domain = ccs.decode(identity).public, ccs.decode(recording.members[0].domain_credential).public
    named = token.decode(recording.members[0].thing_credential).claims.values
    heard = b"|".join(recording.datagrams)
    for word in (
        SERIAL,
        MODEL,
        MAKER,
        *(value for value in named.values() if isinstance(value, str) and len(value) > 4),
    ):
        assert word.encode() not in heard
    assert join.identity_credential(identity, thing).id_cred[-4:] not in heard
    lasting = (identity, thing.x, thing.y, domain.x, domain.y, digest(identity))
    for data in (*lasting, recording.members[0].thing_credential, recording.members[0].access_token):
        assert pieces(data).isdisjoint(pieces(heard))


@pytest.mark.requirement("R-61")
def test_two_joins_of_one_thing_have_nothing_in_common(recording):
    head = len(b"\x03\x02\x58\x20")  # method, suite and the head of G_X: the same for every thing
    first, second = ({piece for one in messages for piece in pieces(one[head:])} for messages in recording.joins)
    assert first.isdisjoint(second)


@pytest.mark.requirement("R-25")
def test_what_was_recorded_stays_closed_when_every_key_leaks_that_is_left(recording):
    keys = recording.leaked()
    assert len(keys) >= 6
    for messages in recording.joins:
        assert recording.eavesdropper(messages).opened(keys) == []
    secret = recording.members[0].master_secret.reveal()
    places = [path for place in ("home", "heads", "lamp", "maker") for path in (recording.folder / place).rglob("*")]
    assert not [path for path in places if path.is_file() and secret in path.read_bytes()]


@pytest.mark.requirement("R-25")
def test_the_keys_of_one_join_open_what_was_said_under_them_and_nothing_before(recording):
    def opened(*members):
        return [row[0] for row in recording.read("oscore.opt.uri_path", keys=members)].count("senml")

    first, second = recording.members
    each = opened(first), opened(second)
    assert min(each) > 0
    assert opened(first, second) == sum(each)
    assert "senml" not in {row[0] for row in recording.read("oscore.opt.uri_path")}
