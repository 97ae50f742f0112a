"""The one table of commands: words, phase of life, one line, one example, and where the action is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["COMMANDS", "Command", "Phase"]


class Phase(Enum):
    """When in a thing's life, or in the domain's, a command is used (RFC 8576 §2)."""

    DOMAIN = "The domain"
    MANUFACTURE = "Manufacture: a maker's side"
    BOOTSTRAP = "Bootstrap: things come in"
    OPERATE = "Operate"
    MAINTAIN = "Maintain: software and keys"
    WITHDRAW = "Withdraw: quarantine, hand over, retire"
    PROVE = "Prove"
    SPEAK = "Speak: CoAP and OSCORE, to anything"


@dataclass(frozen=True, slots=True)
class Command:
    """One row.

    Attributes:
        name: one or two words.
        phase: heading in ``--help``.
        help: one line, without a full stop.
        example: a whole command line.
        target: ``module:action``, imported when the command is chosen.
    """

    name: str
    phase: Phase
    help: str
    example: str
    target: str

    @property
    def words(self) -> tuple[str, ...]:
        """The name as it is typed."""
        return tuple(self.name.split())


_CLI = "thingstead.cli"


def _row(phase: Phase, name: str, text: str, example: str, target: str) -> Command:
    return Command(name, phase, text, f"thingstead {name} {example}".rstrip(), f"{_CLI}.{target}")


_D, _M, _B, _O = Phase.DOMAIN, Phase.MANUFACTURE, Phase.BOOTSTRAP, Phase.OPERATE
_K, _W, _P, _S = Phase.MAINTAIN, Phase.WITHDRAW, Phase.PROVE, Phase.SPEAK

COMMANDS: tuple[Command, ...] = (
    _row(_D, "demo", "a whole life on this machine, step by step", "--things 12", "demo:DEMO"),
    _row(_D, "init", "make a new domain in a directory", "my-domain --profile building", "domain:INIT"),
    _row(_D, "up", "run a domain in the foreground", "my-domain", "up:UP"),
    _row(_D, "status", "how the domain stands, plane by plane", "", "domain:STATUS"),
    _row(_D, "config check", "check the settings and print the effective ones", "my-domain", "domain:CONFIG_CHECK"),
    _row(
        _D,
        "domain credential",
        "write what makers need to sell things to this domain",
        "my-domain",
        "domain:CREDENTIAL",
    ),
    _row(
        _D,
        "domain authority",
        "write the certificate by which updaters know this domain",
        "my-domain",
        "domain:AUTHORITY",
    ),
    _row(_D, "trust add", "trust a maker from now on", "my-domain aurora.anchor", "trust:TRUST_ADD"),
    _row(_D, "trust remove", "trust a maker no more", "my-domain aurora", "trust:TRUST_REMOVE"),
    _row(_D, "trust list", "the makers that are trusted", "my-domain", "trust:TRUST_LIST"),
    _row(_D, "policy check", "say what is odd in a join policy", "my-domain/policy.toml", "policy:CHECK"),
    _row(
        _D,
        "policy explain",
        "which rule would decide about a thing, and why",
        "--maker aurora --model LX-1 --serial A-0107",
        "policy:EXPLAIN",
    ),
    _row(_D, "policy reload", "take up the policy as it is written now", "", "policy:RELOAD"),
    _row(_D, "backup", "write what a restore needs, keys excepted", "domain.backup", "backup:BACKUP"),
    _row(
        _D,
        "backup restore",
        "begin a domain again from a backup",
        "domain.backup new-domain --keys copy-of-keys",
        "backup:RESTORE",
    ),
    _row(_D, "ask", "ask the controller for any operation by name", "thing.list", "domain:ASK"),
    _row(
        _M,
        "factory maker",
        "make a maker: anchor, release keys, MUD signer",
        "aurora --name aurora --domain aurora.example",
        "factory:MAKER",
    ),
    _row(
        _M,
        "factory thing",
        "give birth to a thing, sold to one domain",
        "lamp-1 --maker aurora --model LX-1 --serial A-1 --for my-domain",
        "factory:THING",
    ),
    _row(
        _M,
        "factory pass",
        "pass a thing to a re-badger, a seller, or its first domain",
        "lamp-1 --by shop --to my-domain",
        "custody:PASS",
    ),
    _row(
        _M,
        "factory rekey",
        "replace a maker's release keys, step by step",
        "aurora introduce --keys ml-dsa-65",
        "factory_rekey:REKEY",
    ),
    _row(
        _M,
        "factory image",
        "make an image for simulated things to install",
        "image.bin --model LX-1 --version 1.1.0",
        "factory:IMAGE",
    ),
    _row(
        _M,
        "masa make",
        "make the maker's own server, which vouches for buyers",
        "m --name aurora --location coap://192.0.2.1",
        "masa:MAKE",
    ),
    _row(
        _M, "masa sell", "have the server vouch for a thing's buyer", "m lamp-1 --to my-domain.credential", "masa:SELL"
    ),
    _row(_M, "masa run", "run the maker's server in the foreground", "m", "masa:RUN"),
    _row(_B, "agent run", "let things live in this process", "lamp-1 lamp-2", "agent:RUN"),
    _row(
        _O,
        "agent command",
        "have a thing here switch another's lamp, the domain asleep or not",
        "switch-1 thing-abcdefghijklmnop on --port 5690",
        "agent:COMMAND",
    ),
    _row(_D, "operator key", "make a key that a person asks a domain with", "ben", "people:KEY"),
    _row(
        _B,
        "installer add",
        "delegate approvals to an installer, within bounds",
        "ben --key key:owECIAEh --zones floor-1 --days 5",
        "people:INSTALLER_ADD",
    ),
    _row(_B, "installer list", "who may approve things, where and until when", "", "people:INSTALLER_LIST"),
    _row(
        _B,
        "installer sign",
        "approve a thing where no domain can be asked",
        "A-0107 --maker aurora --key 3f2a91bc00112233 --zone floor-1 --delegation ben.delegation --as ben",
        "people:SIGN",
    ),
    _row(_B, "thing present", "bring what an installer approved elsewhere", "A-0107.approval", "people:PRESENT"),
    _row(_B, "installer revoke", "end what was delegated to an installer", "ben", "people:INSTALLER_REVOKE"),
    _row(_B, "thing waiting", "who waits for a person, and with which key", "", "thing:WAITING"),
    _row(
        _B,
        "install-code add",
        "let a thing in by the code on its label",
        "A0001",
        "install_code:ADD",
    ),
    _row(_B, "install-code list", "install codes by serial number, never the codes", "", "install_code:LIST"),
    _row(_B, "install-code remove", "let nobody in by a code any more", "A0001", "install_code:REMOVE"),
    _row(_K, "thing attest", "ask a thing for evidence of what it runs", "thing-abcdefghijklmnop", "thing:ATTEST"),
    _row(_B, "thing admit", "let a thing in that waits for a person", "thing-abcdefghijklmnop", "thing:ADMIT"),
    _row(
        _B,
        "thing add",
        "take in a device that speaks hawkBit's API, with a token",
        "--maker aurora --model GW-1 --serial G-1",
        "device:ADD",
    ),
    _row(
        _K,
        "thing token",
        "give such a device another token, or a certificate",
        "thing-abcdefghijklmnop",
        "device:TOKEN",
    ),
    _row(_O, "thing list", "all things: state, restriction, zone, software, last heard", "", "thing:LIST"),
    _row(_O, "thing forgotten", "what is silent, unsupported, or on the network unasked", "", "thing:FORGOTTEN"),
    _row(_O, "thing show", "one thing's record, and what each plane owes it", "thing-abcdefghijklmnop", "thing:SHOW"),
    _row(_B, "group create", "make a group; the policy says who may join it", "lamps", "group:CREATE"),
    _row(_O, "token list", "what things may do at each other, and until when", "", "token:LIST"),
    _row(_W, "token revoke", "take back what a thing may do at another", "01fa51cc9b", "token:REVOKE"),
    _row(_O, "group list", "the groups, their members and key epochs", "", "group:LIST"),
    _row(_O, "group command", "send one message to a whole group", "lamps on", "group:COMMAND"),
    _row(_B, "watch", "who is on a network, out of what passes there", "--interface br0", "watch:WATCH"),
    _row(
        _O,
        "network propose",
        "a MUD file of what a thing did",
        "thing-abcdefghijklmnop --output learned.json",
        "adopt:PROPOSE",
    ),
    _row(
        _B,
        "adopt",
        "take in a device that speaks nothing of ours",
        "02:77:00:00:00:01 --ip 10.77.1.1 --model plug --mud learned/02-77-00-00-00-01.json",
        "adopt:ADOPT",
    ),
    _row(_O, "mud check", "read a MUD file and say what is odd in it", "lamp.json", "mud:CHECK"),
    _row(_O, "mud explain", "say in words what each entry of a MUD file allows", "lamp.json", "mud:EXPLAIN"),
    _row(_O, "mud signer", "show whom a MUD file's signature names, unverified", "lamp.p7s", "mud:SIGNER"),
    _row(_O, "mud diff", "show what a MUD file lets a thing do more or less", "lamp-1.json lamp-2.json", "mud:DIFF"),
    _row(_O, "mud compile", "show what a MUD file lets a thing do", "lamp.json", "mud:COMPILE"),
    _row(_O, "mud urls", "where each thing's MUD file is, says who, and what waits", "", "mud_intake:URLS"),
    _row(
        _O,
        "mud review",
        "what the file that a thing names would let it do more, or less",
        "thing-abcdefghijklmnop",
        "mud_intake:REVIEW",
    ),
    _row(
        _O,
        "mud approve",
        "have a thing go by the MUD file that it names",
        "thing-abcdefghijklmnop https://mud.example/lamp2.json",
        "mud_intake:APPROVE",
    ),
    _row(
        _O,
        "mud refuse",
        "take no notice of the MUD file that a thing names",
        "thing-abcdefghijklmnop https://mud.example/lamp2.json",
        "mud_intake:REFUSE",
    ),
    _row(
        _O,
        "mud hook",
        "take up what dnsmasq was told by DHCP",
        "add 02:77:00:00:00:01 10.77.1.1",
        "mud_intake:HOOK",
    ),
    _row(
        _O,
        "thing mud",
        "say where a thing's MUD file is, or ask who says so",
        "thing-abcdefghijklmnop --url https://mud.example/lamp.json",
        "mud_intake:SAY",
    ),
    _row(_O, "network names", "what names of MUD files stand for now, and for how long", "", "mud_intake:NAMES"),
    _row(
        _O,
        "mud test",
        "hold a MUD file against what a device did",
        "lamp.json --pcap lamp.pcap --mac 02:77:00:00:00:01",
        "mud_test:TEST",
    ),
    _row(
        _O,
        "network talk",
        "whom a thing talked to, how much, and why that was allowed",
        "thing-abcdefghijklmnop",
        "network:TALK",
    ),
    _row(
        _O,
        "network drops",
        "what of a thing was refused, why, and how to allow it",
        "thing-abcdefghijklmnop",
        "network:DROPS",
    ),
    _row(_O, "network paths", "who gets where over other things, the weakest path first", "", "network_paths:PATHS"),
    _row(_O, "network rules", "your own rules, beside the makers' files", "", "network:RULES"),
    _row(
        _O,
        "network allow",
        "let things do more than their makers' files say",
        "192.0.2.7 --zone hall --port 8009",
        "network:ALLOW",
    ),
    _row(
        _W,
        "network block",
        "refuse all things something at once, and say what that breaks",
        "--cve CVE-2026-1234 --port 80",
        "network:BLOCK",
    ),
    _row(_P, "network detectors", "what detectors saw and told since the start", "", "network:DETECTORS"),
    _row(_P, "network exposure", "services of things that answer a stranger's knock", "--again", "network:EXPOSURE"),
    _row(_P, "exposure plan", "say where somebody elsewhere may knock for you", "plan.json", "exposure:PLAN"),
    _row(_P, "exposure knock", "knock there, from here", "plan.json --output found.json", "exposure:KNOCK"),
    _row(_P, "exposure tell", "take up what answered elsewhere", "found.json --place site", "exposure:TELL"),
    _row(_O, "network revoke", "forget a rule of yours", "3f2a9c41", "network:REVOKE"),
    _row(_O, "data list", "what each thing reported last", "", "data:LIST"),
    _row(_O, "data flows", "what may be collected, why, for how long, how protected", "", "data:FLOWS"),
    _row(_O, "data show", "the newest value of each series of a thing", "thing-abcdefghijklmnop", "data:SHOW"),
    _row(
        _O,
        "data export",
        "write everything that is kept of a thing",
        "thing-abcdefghijklmnop --output thing.senml",
        "data:EXPORT",
    ),
    _row(
        _K,
        "release new",
        "make a release of an image, or of a release file",
        "--image image.bin --maker aurora --model LX-1 --version 1.1.0 --sequence 2 --output lamp-2",
        "release_new:NEW",
    ),
    _row(_K, "release add", "put in what goes with a release", "lamp-2 sbom lamp.cdx.json", "release_new:ADD"),
    _row(
        _K,
        "release inspect",
        "what things will do, who has signed, who is missing",
        "lamp-2 --anchor aurora/aurora.anchor",
        "release_inspect:INSPECT",
    ),
    _row(
        _K,
        "release sign",
        "sign a release that was looked at",
        "lamp-2 --maker aurora --digest 3f2a91bc00112233",
        "release_sign:SIGN",
    ),
    _row(
        _K,
        "release approve",
        "look at a release, then sign it as one of several",
        "lamp-2 --key ben --digest 3f2a91bc00112233",
        "release_sign:APPROVE",
    ),
    _row(
        _K,
        "release collect",
        "put signatures together that people made apart",
        "lamp-2 from-ben/lamp-2 from-cleo/lamp-2",
        "release_sign:COLLECT",
    ),
    _row(_K, "release key", "make a person's key for releases", "ben --type ml-dsa-65", "release_key:KEY"),
    _row(_K, "release publish", "offer a release to every thing of its class", "lamp-2", "release:PUBLISH"),
    _row(_K, "release list", "published releases and how far each has come", "", "release:LIST"),
    _row(
        _K,
        "campaign preview",
        "what a plan would do: who, when, how long, and who is asleep",
        "LX-1 --stages 1,10%,100% --quiet-hours 22:00-06:00",
        "campaign:PREVIEW",
    ),
    _row(_K, "campaign list", "which releases go round, and how far each has come", "", "campaign:LIST"),
    _row(_K, "campaign show", "one release going round: where it stands, and who waits why", "LX-1", "campaign:SHOW"),
    _row(_K, "campaign pause", "let nobody begin any more", "LX-1", "campaign:PAUSE"),
    _row(_K, "campaign resume", "go on with a campaign that stands", "LX-1", "campaign:RESUME"),
    _row(_K, "campaign advance", "begin the next stage now", "LX-1", "campaign:ADVANCE"),
    _row(_K, "campaign replan", "go on by another plan", "LX-1 --stages 100%", "campaign:REPLAN"),
    _row(_K, "campaign abort", "end a campaign: nobody gets its release any more", "LX-1", "campaign:ABORT"),
    _row(
        _K,
        "campaign rollback",
        "take a release back: the older image under a higher number",
        "LX-1 --release lamp-1 --maker aurora",
        "campaign_rollback:ROLLBACK",
    ),
    _row(_K, "release show", "releases for a model, and what each of its things runs", "LX-1", "release:SHOW"),
    _row(_K, "osv import", "take up records of known vulnerabilities", "osv/all.zip", "osv:IMPORT"),
    _row(_K, "osv list", "known vulnerabilities of software that things run", "", "osv:LIST"),
    _row(_K, "release result", "what the checks of a release came to", "3f2a9c41d07be655", "release_result:RESULT"),
    _row(
        _K,
        "release verify-result",
        "verify what the checks of a release came to, without a domain",
        "lamp-2.result --key ledger.key",
        "release_result:VERIFY",
    ),
    _row(_K, "type list", "types of things that were tested, and with what result", "", "type_test:LIST"),
    _row(_K, "type test", "test the type of a thing with it, now", "thing-abcdefghijklmnop", "type_test:TEST"),
    _row(_K, "type result", "what the test of a type came to", "3f2a9c41d07be655", "type_test:RESULT"),
    _row(
        _K,
        "type verify-result",
        "verify what the test of a type came to, without a domain",
        "lamp.result --key ledger.key",
        "type_test:VERIFY",
    ),
    _row(_K, "release diff", "what changes from one release to the next", "lamp-1 lamp-2", "release_diff:DIFF"),
    _row(_K, "publication list", "releases that wait for a second person", "", "publication:LIST"),
    _row(
        _K,
        "publication approve",
        "offer what somebody else brought",
        "3f2a9c41d07be655 5be1c0de4a7d9902",
        "publication:APPROVE",
    ),
    _row(_K, "publication withdraw", "take back a release that waits", "3f2a9c41d07be655", "publication:WITHDRAW"),
    _row(
        _K,
        "crypto migrate",
        "take things over to other update keys",
        "plan aurora.anchor",
        "crypto_migrate:MIGRATE",
    ),
    _row(_K, "maintenance begin", "take a thing into maintenance", "thing-abcdefghijklmnop", "maintenance:BEGIN"),
    _row(_K, "maintenance diagnose", "ask a thing how it stands", "thing-abcdefghijklmnop", "maintenance:DIAGNOSE"),
    _row(_K, "maintenance restart", "have a thing begin anew", "thing-abcdefghijklmnop", "maintenance:RESTART"),
    _row(_K, "maintenance update", "have a thing ask for a release", "thing-abcdefghijklmnop", "maintenance:UPDATE"),
    _row(
        _K,
        "maintenance configure",
        "change settings of a thing",
        "thing-abcdefghijklmnop --telemetry-interval 10",
        "maintenance:CONFIGURE",
    ),
    _row(_K, "maintenance end", "let a thing out of maintenance", "thing-abcdefghijklmnop", "maintenance:END"),
    _row(
        _K, "maintenance show", "who did what at a thing, what is missing", "thing-abcdefghijklmnop", "maintenance:SHOW"
    ),
    _row(
        _K,
        "maintenance permit",
        "let a maintainer work at things without the domain",
        "ben thing-abcdefghijklmnop --hours 24",
        "maintenance:PERMIT",
    ),
    _row(_K, "maintenance withdraw", "take back a maintainer's permits", "ben", "maintenance:WITHDRAW"),
    _row(
        _K,
        "maintenance beside",
        "work at a thing itself, its domain there or not",
        "diagnose --permit ben.permit --as ben --port 5690",
        "maintenance:BESIDE",
    ),
    _row(_K, "group rekey", "give a group new keys", "lamps", "group:REKEY"),
    _row(
        _W,
        "thing quarantine",
        "cut a thing off on all planes, until it is restored",
        "thing-abcdefghijklmnop",
        "thing:QUARANTINE",
    ),
    _row(_W, "thing restore", "lift what is held against a thing", "thing-abcdefghijklmnop", "thing:RESTORE"),
    _row(_W, "response list", "things that an alarm cut off, and how fast", "", "response:LIST"),
    _row(_W, "response undo", "let a thing go that an alarm cut off", "3f2a9c41d07b", "response:UNDO"),
    _row(
        _W,
        "thing hand-over",
        "release a thing to its next owner, with proof",
        "thing-abcdefghijklmnop",
        "thing:HAND_OVER",
    ),
    _row(_B, "thing accept", "take in a thing that another owner handed over", "lamp.handover", "thing:ACCEPT"),
    _row(
        _K,
        "thing adopt",
        "take over the updates of a thing that its maker mends no more",
        "thing-abcdefghijklmnop --until 2031-12-31",
        "thing:ADOPT",
    ),
    _row(_B, "agent claim", "reset a thing by hand, for an owner", "lamp-1 --for my-domain.credential", "agent:CLAIM"),
    _row(
        _W,
        "thing retire",
        "end a thing's life here, on all planes, with proof",
        "thing-abcdefghijklmnop",
        "thing:RETIRE",
    ),
    _row(
        _W,
        "group evict",
        "take a thing out of a group, and rekey the rest",
        "lamps thing-abcdefghijklmnop",
        "group:EVICT",
    ),
    _row(
        _O,
        "group readmit",
        "let a thing join a group again that was taken out",
        "lamps thing-abcdefghijklmnop",
        "group:READMIT",
    ),
    _row(
        _W,
        "data erase",
        "erase everything that is kept of a thing, with a receipt",
        "thing-abcdefghijklmnop",
        "data:ERASE",
    ),
    _row(_P, "attack", "attack the running demo and see each plane answer", "join", "attack:ATTACK"),
    _row(_P, "ledger show", "the newest entries", "--count 20", "ledger:SHOW"),
    _row(_P, "ledger verify", "check the ledger with the separate verifier", "my-domain", "ledger:VERIFY"),
    _row(
        _P,
        "ledger proof",
        "write a receipt that an entry is in the ledger",
        "7 --output entry-7.receipt",
        "ledger:PROOF",
    ),
    _row(_P, "calendar", "what will expire, and the last safe day to act", "--fail-within 30d", "calendar:CALENDAR"),
    _row(
        _P,
        "crypto forbid",
        "whom the end of an algorithm moves, and whom it strands",
        "AES-CCM-16-64-128 --from 2030-01-01",
        "crypto:FORBID",
    ),
    _row(_P, "crypto inventory", "which algorithms, where, until when", "--year 2035", "crypto:INVENTORY"),
    _row(
        _P,
        "decade",
        "ten simulated years in minutes, to see whom time strands",
        "--seed 7 --things 100",
        "decade:DECADE",
    ),
    _row(_P, "lab list", "the attacks that the lab can play", "", "lab:LIST"),
    _row(
        _P,
        "lab run",
        "play an attack among dummies, and see who finds and stops it",
        "mirai --seed 7",
        "lab:RUN",
    ),
    _row(
        _P,
        "assurance",
        "threat by threat: control, evidence, remaining risk",
        "--html assurance.html",
        "assurance:ASSURANCE",
    ),
    _row(_S, "coap discover", "what a host serves", "'coap://[::1]/'", "coap:DISCOVER"),
    _row(_S, "coap get", "read a resource", "'coap://[::1]/light'", "coap:GET"),
    _row(
        _S,
        "coap put",
        "write a resource",
        "'coap://[::1]/light' true --content-format cbor --oscore lamp.oscore",
        "coap:PUT",
    ),
    _row(_S, "coap post", "have a payload processed", "'coap://[::1]/log' 'all is well'", "coap:POST"),
    _row(_S, "coap delete", "delete a resource", "'coap://[::1]/log/7'", "coap:DELETE"),
    _row(
        _S,
        "coap fetch",
        "read the part of a resource that the payload names",
        "'coap://[::1]/status' '[1, 2]' --content-format cbor",
        "coap:FETCH",
    ),
    _row(
        _S,
        "coap patch",
        "change a part of a resource",
        "'coap://[::1]/status' '{1: 2}' --content-format cbor",
        "coap:PATCH",
    ),
    _row(
        _S,
        "coap ipatch",
        "change a part of a resource, the same however often it arrives",
        "'coap://[::1]/status' '{1: 2}' --content-format cbor",
        "coap:IPATCH",
    ),
    _row(
        _S,
        "coap observe",
        "show a resource whenever it changes, until Ctrl-C",
        "'coap://[::1]/temperature' --count 10",
        "coap:OBSERVE",
    ),
    _row(_S, "proxy check", "say where a proxy would go, and for whom", "proxy.toml", "proxy:CHECK"),
    _row(_S, "proxy run", "carry CoAP, and what OSCORE protects unread", "proxy.toml", "proxy:RUN"),
    _row(_S, "oscore create", "make an OSCORE context for two parties", "lamp.oscore", "oscore:CREATE"),
    _row(_S, "oscore show", "what a context is, without its keys", "lamp.oscore", "oscore:SHOW"),
    _row(
        _S,
        "oscore import",
        "take a context over from libcoap or aiocoap",
        "client.conf --output lamp.oscore",
        "oscore:IMPORT",
    ),
    _row(
        _S,
        "oscore export",
        "hand a half of a context to libcoap or aiocoap",
        "lamp.oscore --form libcoap --peer --output peer.conf",
        "oscore:EXPORT",
    ),
)
"""In the order of ``--help``. A new command is one row here and one `Action` in its module."""
