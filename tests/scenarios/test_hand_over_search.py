"""A thing is sold by one domain to another, all in processes: what is on their disks and on the wire is searched."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.crash.relay import Relay
from tests.crash.world import Process, eventually
from tests.port import free_port
from thingstead.agent.file_home import FileHome
from thingstead.agent.group_home import GroupHome
from thingstead.agent.program import HOME, KEYS, STATUS_SOCKET
from thingstead.controller.composition import domain_credential
from thingstead.controller.directory import DomainDirectory
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.phases.manufacture import Model
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.birth import DECRYPTION_KEY, IDENTITY_KEY
from thingstead.secret import Secret
from thingstead.simulator.capture import leaks
from thingstead.simulator.factory import bear_thing, make_maker
from thingstead.simulator.key_log import associations

pytestmark = [pytest.mark.requirement("R-10"), pytest.mark.slow]

READING = 7341.625
"""What the thing measures at its seller's, and nobody else in the world does."""

POLICY = """\
profile = "building"

[scope.lamp]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]
"/ace-group/lamps" = ["GET", "POST"]

[[rule]]
name = "lamps"
makers = ["aurora"]
models = ["LX-*"]
zone = "hall"
scope = "lamp"

[granted]
"/light" = ["GET", "PUT"]
"/group-keys" = ["PUT"]
"/standing" = ["FETCH"]
"/wipe" = ["POST"]
"/custody" = ["GET", "PUT"]

[[series]]
name = "*"
purpose = "show that telemetry flows"
retention_days = 1
"""


@dataclass(slots=True)
class Wire:
    """Everything that passed a relay."""

    seen: bytearray = field(default_factory=bytearray)

    def pass_by(self, data: bytes, *, to_controller: bool, at: float) -> None:
        self.seen += data


class Side:
    """A domain in a process, and the wire to it."""

    def __init__(self, root: Path, name: str, anchor: bytes) -> None:
        self.port, self.wire = free_port(), Wire()
        self.directory = DomainDirectory(root / name)
        settings = f'[domain]\nname = "{name}"\nheads = "{root / "apart" / name}"\n[coap]\nport = {self.port}\n'
        self.directory.create(settings=settings, policy=POLICY)
        self.directory.trust_maker(anchor_file.decode(anchor))
        self.process = Process(
            ["-m", "thingstead", "up", str(self.directory.root)], self.directory.control_socket, root / f"{name}.log"
        )
        self.relay = Relay(("127.0.0.1", self.port))
        self.way = self.relay.add(self.wire)
        self.process.start()

    @property
    def credential(self) -> bytes:
        return domain_credential(FileKeyStore(self.directory.keys), self.directory.load()).cred

    def ask(self, operation, **arguments):
        answer = self.process.ask({"operation": operation, "arguments": arguments})
        assert "result" in answer, answer
        return answer["result"]

    def secrets(self) -> dict[str, Secret]:
        keys = FileKeyStore(self.directory.keys)
        return {name: keys.handle(name).private_bytes() for name in keys.ids()}

    def close(self) -> None:
        self.process.kill()
        self.relay.close()


class Sale:
    """The whole of it; each step is one of the story's."""

    def __init__(self, root: Path) -> None:
        self.root, at = root, datetime.now(UTC)  # noqa: TID251  the processes read this clock too
        maker = make_maker(root / "maker", name="aurora", domain="aurora.example", at=at)
        anchor = maker.anchor.read_bytes()
        self.seller, self.buyer = Side(root, "seller", anchor), Side(root, "buyer", anchor)
        self.home = root / "lamp"
        model = Model("LX-1", 2, "https://mud.aurora.example/LX-1.json", date(at.year + 5, 1, 1))
        bear_thing(self.home, maker.maker, model, "A-1", whose=self.seller.credential, at=at)
        (root / "readings.csv").write_text(f"load\n{READING}\n")
        self.lamp: Process | None = None
        self.secrets: dict[str, Secret] = {}
        self.sold_as = ""

    def live_at(self, side: Side) -> str:
        """The thing lives there until it has reported and is in a group; its id."""
        arguments = ["-m", "thingstead", "agent", "run", str(self.home), "--controller-port", str(side.way)]
        arguments += ["--telemetry-interval", "0.2", "--multicast-port", str(free_port())]
        arguments += ["--telemetry", str(self.root / "readings.csv")] if side is self.seller else []
        self.lamp = Process(arguments, self.home / STATUS_SOCKET, self.root / "lamp.log")
        self.lamp.start()
        eventually(lambda: self._reported(side), within=30, what="it reported")
        (found,) = side.ask("thing.list")
        return str(found["thing"])

    def _reported(self, side: Side) -> bool:
        things = [one["thing"] for one in side.ask("thing.list") if one["state"] == "operational"]
        groups = GroupHome(FileHome(self.home / HOME)).names()
        return bool(things) and bool(groups) and bool(side.ask("data.show", thing=things[0])["latest"])

    def note_secrets(self, side: Side) -> None:
        """Keys that are in play now, on both sides of the association."""
        name = side.directory.root.name
        (member,) = associations([self.home])
        self.secrets[f"the association with {name}"] = member.master_secret
        self.secrets |= {f"the {name}'s {key} key": secret for key, secret in side.secrets().items()}
        own = FileKeyStore(self.home / KEYS)
        for key in own.ids():
            of = "" if key in {IDENTITY_KEY, DECRYPTION_KEY} else f", at {name}"
            self.secrets[f"the thing's {key} key{of}"] = own.handle(key).private_bytes()
        groups = GroupHome(FileHome(self.home / HOME))
        (group,) = groups.names()
        kept = groups.load(group)
        assert kept is not None
        self.secrets[f"the keys of its group at {name}"] = kept.keys.master_secret

    def hand_over(self) -> bytes:
        """Sell it; the file for the buyer."""
        (self.root / "buyer.credential").write_bytes(self.buyer.credential)
        told = self.seller.ask("thing.hand-over", thing=self.sold_as, to=str(self.root / "buyer.credential"))
        papers = base64.urlsafe_b64decode(told["handover"])
        (self.root / "papers").write_bytes(papers)
        assert self.lamp is not None
        self.lamp.kill()
        return papers

    def close(self) -> None:
        if self.lamp is not None:
            self.lamp.kill()
        self.seller.close()
        self.buyer.close()


def stored(*roots: Path) -> bytes:
    """All files below, of every kind."""
    return b"\0".join(path.read_bytes() for root in roots for path in sorted(root.rglob("*")) if path.is_file())


SELLER, BUYER, THING, WIPED, PAPERS, WIRE, SAID = (
    "the seller's directory",
    "the buyer's directory",
    "the thing's directory",
    "the thing's directory once it was wiped",
    "the file for the buyer",
    "the wire",
    "what all of them said",
)
OWN = {"the seller": {SELLER}, "the buyer": {BUYER}, "the thing": {THING, WIPED}}


@pytest.fixture(scope="module")
def sale(tmp_path_factory):
    """A thing lived at its seller's, was sold, and lives at its buyer's; both domains go on."""
    made = Sale(tmp_path_factory.mktemp("sale"))
    root = made.root
    try:
        made.sold_as = made.live_at(made.seller)
        made.note_secrets(made.seller)
        reading = codec.encode(READING)
        eventually(lambda: reading in stored(made.seller.directory.root), within=10, what="a reading is kept")
        before = {SELLER: stored(made.seller.directory.root), THING: stored(made.home)}
        papers = made.hand_over()
        wiped = stored(made.home)
        made.buyer.ask("thing.accept", file=str(root / "papers"))
        made.live_at(made.buyer)
        made.note_secrets(made.buyer)
        after = {
            SELLER: stored(made.seller.directory.root, root / "apart" / "seller"),
            BUYER: stored(made.buyer.directory.root, root / "apart" / "buyer"),
            THING: stored(made.home),
            WIPED: wiped,
            PAPERS: papers,
            WIRE: bytes(made.seller.wire.seen + made.buyer.wire.seen),
            SAID: stored(*root.glob("*.log")),
        }
        yield made, before, after
    finally:
        made.close()


def found(secret: Secret, places: dict[str, bytes]) -> set[str]:
    return {place for place, data in places.items() if leaks(data, {"it": secret})}


def test_the_search_finds_what_was_there_before_the_thing_was_sold(sale):
    made, before, _ = sale
    assert found(made.secrets["the association with seller"], before) == {SELLER, THING}
    assert found(made.secrets["the keys of its group at seller"], before) == {SELLER, THING}
    assert found(made.secrets["the thing's identity key"], before) == {THING}
    assert {name.partition("'s ")[0] for name in made.secrets} >= set(OWN)


def test_what_the_thing_shared_with_its_seller_is_with_nobody(sale):
    made, _, after = sale
    assert found(made.secrets["the association with seller"], after) == set()
    of_seller = [name for name in made.secrets if name.startswith("the thing's") and name.endswith("at seller")]
    assert of_seller
    for name in of_seller:
        assert found(made.secrets[name], after) == set(), name


def test_the_keys_of_the_group_that_it_was_in_are_with_the_seller_alone(sale):
    made, _, after = sale
    assert found(made.secrets["the keys of its group at seller"], after) <= {SELLER}


def test_each_key_is_where_its_owner_is_and_nowhere_else(sale):
    made, _, after = sale
    for name, secret in made.secrets.items():
        owner = name.partition("'s ")[0]
        if owner in OWN and not name.endswith("at seller"):
            assert found(secret, after) <= OWN[owner], name
    assert found(made.secrets["the association with buyer"], after) == {BUYER, THING}


def test_history_stays_with_the_seller(sale):
    made, before, after = sale
    reading = codec.encode(READING)
    for what in (made.sold_as.encode(), reading):
        assert what in before[SELLER]
        assert what in after[SELLER]
        for place in (BUYER, THING, WIPED, WIRE):
            assert what not in after[place], place
    assert reading not in after[PAPERS]
    entries = made.seller.ask("ledger.show", thing=made.sold_as)
    assert {one["cause"] for one in entries} >= {"joined", "handed-over"}
    assert len(after[WIRE]) > 4000
