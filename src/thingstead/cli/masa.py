"""``thingstead masa``: the maker's own server, which vouches for the domains that things were sold to."""

from __future__ import annotations

import asyncio

from thingstead.agent.file_home import FileHome
from thingstead.agent.program import HOME
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.cli.input import read_file, seconds, whole
from thingstead.errors import ConfigError
from thingstead.masa.directory import MasaDirectory, make_masa, open_masa
from thingstead.masa.program import running
from thingstead.masa.sales import Sale
from thingstead.masa.server import MasaServer
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import join

__all__ = ["MAKE", "RUN", "SELL"]

_MAX_CREDENTIAL = 4096


def _make(session: Session) -> int:
    options = session.options
    made = make_masa(session.path("directory"), name=options["name"])
    session.console.show(
        {
            "maker": made.name,
            "for domains": str(made.root / "session.credential"),
            "for things": str(made.root / "voucher.credential"),
            "sales": str(made.sales.path),
        }
    )
    session.console.next(f"thingstead masa sell {options['directory']} THING --to DOMAIN.credential")
    return 0


def _sell(session: Session) -> int:
    options, thing = session.options, session.path("thing")
    masa = open_masa(session.path("directory"))
    kept = FileHome(thing / HOME).load(birth_record.BIRTH)
    if kept is None:
        raise ConfigError(f"no thing was born in {thing}; `thingstead factory thing` gives birth to one")
    born = birth_record.decode(kept)
    credential = join.identity_credential(born.maker_identity, ccs.decode(born.maker_identity).public)
    domain = ccs.decode(read_file(session.path("to"), max_bytes=_MAX_CREDENTIAL)).public
    sale = Sale(born.serial, credential.id_cred.hex(), (cose_key.thumbprint(domain).hex(),))
    masa.sales.add(sale)
    session.console.show({"serial": sale.serial, "id_cred_i": sale.id_cred_i, "to": sale.to[0]})
    session.console.next(f"thingstead masa run {options['directory']}")
    return 0


def _run(session: Session) -> int:
    asyncio.run(_serve(session, open_masa(session.path("directory"))))
    return 0


async def _serve(session: Session, masa: MasaDirectory) -> None:
    options, stopped = session.options, ending()
    async with running(masa, options["host"], options["port"]) as (server, port):
        # Several results, hence one line each for a program.
        show = session.console.line if session.console.as_json else session.console.show
        host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
        show({"server": f"coap://{host}:{port}", "maker": masa.name, "record": str(masa.record)})
        told = _counted(server)
        while not stopped.is_set():
            try:
                async with asyncio.timeout(options["every"]):
                    await stopped.wait()
            except TimeoutError:
                if (counted := _counted(server)) != told:
                    show(told := counted)
        show(_counted(server))


def _counted(server: MasaServer) -> dict[str, object]:
    return {"vouched": server.vouched, "refused": server.refused, "dropped": server.dropped}


_DIRECTORY = Parameter("directory", "the server's directory")

MAKE = Action(
    (
        Parameter("directory", "the server's new directory"),
        Parameter("--name", "the maker's name", required=True),
    ),
    _make,
    "Makes two keys: one that domains know the server by, one that things do. The maker's anchor stays elsewhere.\n"
    "Nothing is sold yet, so nobody is vouched for.",
)
SELL = Action(
    (
        _DIRECTORY,
        Parameter("thing", "the directory of a thing that was born"),
        Parameter("--to", "credential of the domain that it is sold to, a file", required=True),
    ),
    _sell,
    "Appends to sales.toml, which may be edited by hand too: a server that runs heeds it at once.",
)
RUN = Action(
    (
        _DIRECTORY,
        Parameter("--host", "IP address to be reached at", default="::1"),
        Parameter("--port", "UDP port; 0 lets the kernel choose", read=whole(0, 65_535), default=5683),
        Parameter("--every", "seconds between two reports, if anything was asked", read=seconds, default=60.0),
    ),
    _run,
    "Answers /.well-known/lake-authz/voucherrequest (draft-ietf-lake-authz-07) for domains that prove their key by\n"
    "EDHOC. Each voucher is a line in vouched.jsonl before it goes out; refusals are counted by reason.",
)
