"""No switch disables a check of who joins, what they show and what they may: whatever can be set is listed here.

A new boolean setting, flag or argument fails this test until it has its line, which says what it is for. Checks are no
`assert` either, which ``python -O`` takes out, and nothing below the command line reads the environment.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.requirement("R-27")

SOURCE = Path(__file__).resolve().parents[2] / "src" / "thingstead"
SETTABLE = ("Config", "Policy", "Limits", "_Peer", "_Rejoin", "_Rule", "_Series")

SETTINGS = {
    "JoinPolicy.approve_each": "adds a person to every decision",
    "_Policy.approve_each": "adds a person to every decision",
    "AgentConfig.has_clock": "what a token ends by: its date, or seconds since it came and a number that only grows",
    "AgentConfig.wants_fresh": "adds a check",
    "AgentConfig.hybrid_keys": "adds a second key exchange to the first",
    "_Peer.clock": "what a token says beside its date",
    "_Peer.same_zone": "where two things may be for a rule to be about them",
    "_Series.personal": "what data is, for its rights",
    "NetworkConfig.hold_ports": "adds a check",
    "NftablesConfig.hold_ports": "the same, in the kernel",
    "NetworkConfig.offline": "whether the domain fetches files",
    "NetworkConfig.insecure_private_mud_servers": "where MUD files may lie: no part of a join",
    "NetworkConfig.insecure_unsigned_mud": "what makes a network rule: no part of a join",
    "AdmissionPolicy.insecure_unsigned": "the same, of one file",
    "AdmissionPolicy.insecure_expired_signer": "the same, of one file",
    "HttpsConfig.insecure_private_addresses": "where is fetched from",
    "EndpointConfig.insecure_state_for_strangers": "what a stranger may make us keep; what it may do stays the same",
    "EndpointConfig.lazy_contexts": "when keys are derived",
    "EndpointConfig.relays": "how long a relay waits",
    "ListenConfig.tcp": "transport of the proxy",
    "OriginConfig.reverse": "kind of an origin of the proxy",
    "NamesConfig.enabled": "who asks for names; what a name opens is the plane's to say either way",
    "WebConfig.enabled": "the live page",
    "WatchConfig.test_types": "whether types of things are tested; what a thing may is the same",
    "DdiConfig.enabled": "whether devices are served over hawkBit's API; off, none is",
}
FLAGS = {
    "--again": "knocks now, at things of the domain alone",
    "--debug": "shows where an error is from",
    "--fresh-tokens": "adds a check",
    "--each": "form of what is shown",
    "--forced": "retires what cannot be asked: it leaves without a receipt, and who asks for one refuses it",
    "--hybrid": "asks for signatures of two families where one or all would do; printed with the anchor",
    "--hybrid-keys": "adds a second key exchange to the first",
    "--if-none-match": "a condition of a request",
    "--install-code": "prints a label",
    "--json": "form of what is shown",
    "--keep": "old release keys among the new ones; printed with the anchor",
    "--no-clock": "by what a token ends, see AgentConfig.has_clock",
    "--no-response": "a request that nobody answers",
    "--non": "a request that is not repeated",
    "--once": "ends the demo",
    "--peer": "which half of a context",
    "--preview": "says what a rule of the owner's would break, and makes none",
    "--replace": "an anchor in place of another, by whoever owns the domain's files",
    "--separate": "processes",
    "--together": "processes",
    "--undo": "takes a restriction back, as the ledger then says",
    "--verifies-images": "what a device's updater does; without it the network keeps the device off the Internet",
    "--updates": "who signs releases from a link of custody on; whoever holds the thing signs the link",
    "-v": "draws an exchange",
}
ARGUMENTS = {
    "authority._usage.certificates": "of a certificate that is made",
    "authorization_server._install.fresh": "numbers of a context",
    "certificate.verify_chain.allow_expired_leaf": "for signers of MUD files; EDHOC asks without it",
    "coap_carriage.link_attributes.combines": "what discovery says",
    "codec.wrap._immutable": "form of a CBOR item",
    "mac0.protect.detached": "form of a MAC that is made",
    "ports.install_group.fresh": "numbers of a context",
    "groupcomm.security_context.fresh": "numbers of a context",
    "encrypt0.protect.covers_nonce": "form of a message that is made",
    "key.from_x.odd": "which of two points",
    "maintenance.require_order.is_open": "whether maintenance has begun; either way some tasks are refused",
    "migration._require_lasting.is_way_back": "as migration.plan.is_way_back",
    "migration._standing.able": "what a thing said that it verifies; unknown is refused as unable is",
    "migration.plan.is_way_back": "the owner takes a migration back; the old signatures have to last, as ever",
    "plane.demands.has_joined": "asks more planes, never fewer",
    "policy.explain.is_member": "whether it is in already: then no rule is full for it, and no support over",
    "serial.parse_serials.each": "a bill has no patterns",
    "shape.choice.extensible": "whether a tag that a profile adds is carried, unread",
    "shape.members.extensible": "whether a member that a profile adds is carried, unread",
    "sign.sign.detached": "form of a signature that is made",
    "sign1.sign.detached": "form of a signature that is made",
    "sign1.sign.tagged": "form of a signature that is made",
    "token_issuer._renewed.is_shared": "by which name a token is another of a series",
    "structure.wrap_array.tagged": "form of a signature that is made",
}
CHECKING = (
    "crypto", "domain", "phases", "planes/access", "planes/identity", "protocols/ace", "protocols/cbor",
    "protocols/cose", "protocols/cwt", "protocols/edhoc", "protocols/lake_authz", "protocols/profile",
    "protocols/receipts", "protocols/voucher",
)  # fmt: skip
ENVIRONMENT = {"cli/main.py", "simulator/stage.py"}


@cache
def whole():
    return [(path, tuple(ast.walk(ast.parse(path.read_text())))) for path in sorted(SOURCE.rglob("*.py"))]


def nodes(*folders):
    wanted = [SOURCE / folder for folder in folders] or [SOURCE]
    for path, tree in whole():
        if any(path.is_relative_to(folder) for folder in wanted):
            yield from ((path, node) for node in tree)


def is_bool(annotation):
    return annotation is not None and "bool" in ast.unparse(annotation).split(" | ")


def settings():
    for _path, node in nodes():
        if isinstance(node, ast.ClassDef) and node.name.endswith(SETTABLE):
            for one in node.body:
                if isinstance(one, ast.AnnAssign) and one.value is not None and is_bool(one.annotation):
                    yield f"{node.name}.{ast.unparse(one.target)}"


def flags():
    for _path, node in nodes("cli"):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Parameter":
            reads = [one.value for one in node.keywords if one.arg == "read"]
            if any(isinstance(one, ast.Constant) and one.value is None for one in reads):
                yield ast.literal_eval(node.args[0])


def arguments():
    for path, node in nodes(*CHECKING):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for one in (*node.args.args, *node.args.kwonlyargs):
                if is_bool(one.annotation):
                    yield f"{path.stem}.{node.name}.{one.arg}"


@pytest.mark.parametrize(
    ("found", "listed"),
    [(settings, SETTINGS), (flags, FLAGS), (arguments, ARGUMENTS)],
    ids=["settings", "flags", "arguments"],
)
def test_each_switch_that_there_is_has_its_line_and_disables_no_check(found, listed):
    assert set(found()) == set(listed)


def narrows(test):
    """Whether an assertion is there for the type checker alone."""
    if isinstance(test, ast.BoolOp):
        return all(narrows(one) for one in test.values)
    return ast.unparse(test).endswith(" is not None") or ast.unparse(test).startswith("isinstance(")


def test_no_check_is_an_assertion_that_an_optimising_interpreter_takes_out():
    found = [(path, node.lineno) for path, node in nodes() if isinstance(node, ast.Assert) and not narrows(node.test)]
    assert found == []


def test_nothing_below_the_command_line_reads_the_environment():
    readers = {
        str(path.relative_to(SOURCE))
        for path, node in nodes()
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and ast.unparse(node.value) == "os"
    }
    assert readers == ENVIRONMENT
