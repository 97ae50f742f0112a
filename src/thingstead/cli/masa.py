"""``thingstead masa``: the maker's own server, which vouches for the domains that things were sold to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from thingstead.agent.file_home import FileHome
from thingstead.agent.program import HOME
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
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

__all__ = ["MAKE", "RUN", "SELL"]

_MAX_CREDENTIAL = 4096
_SOLD = View((("serial", "serial"), ("calls itself", "id_cred_i"), ("to", "to")), empty="nothing")


def _make(session: Session) -> int:
    options = session.options
    made = make_masa(session.path("directory"), name=options["name"], location=options["location"])
    session.console.show(
        {
            "maker": made.name,
            "location": made.location,
            "card": str(made.card_file),
            "sales": str(made.sales.path),
        }
    )
    session.console.say("the card is for `factory thing --server`, and for owners of domains: `trust add --server`")
    session.console.next(f"thingstead masa sell {options['directory']} THING --to DOMAIN.credential")
    return 0


def _sell(session: Session) -> int:
    options, masa = session.options, open_masa(session.path("directory"))
    domain = ccs.decode(read_file(session.path("to"), max_bytes=_MAX_CREDENTIAL)).public
    to = cose_key.thumbprint(domain).hex()
    sales = [_sale(session.directory / thing, masa, to) for thing in options["thing"]]
    masa.sales.add(sales)
    session.console.show([{"serial": one.serial, "id_cred_i": one.id_cred_i, "to": to} for one in sales], _SOLD)
    session.console.next(f"thingstead masa run {options['directory']}")
    return 0


def _sale(thing: Path, masa: MasaDirectory, to: str) -> Sale:
    kept = FileHome(thing / HOME).load(birth_record.BIRTH)
    if kept is None:
        raise ConfigError(f"no thing was born in {thing}; `thingstead factory thing` gives birth to one")
    born = birth_record.decode(kept)
    if born.server is not None and born.server.voucher_key != masa.voucher.public:
        raise ConfigError(f"{born.serial} does not ask this server, but {born.server.location} by another key")
    name = birth_record.credential(born, ccs.decode(born.maker_identity).public).id_cred
    return Sale(born.serial, name.hex(), (to,))


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
        Parameter("--name", "the maker's name, as its identities have it", required=True),
        Parameter("--location", "where domains will reach it, coap://HOST or coap://HOST:PORT", required=True),
    ),
    _make,
    "Makes two keys: one that domains know the server by, one that things do. The maker's anchor stays elsewhere.\n"
    "Nothing is sold yet, so nobody is vouched for.",
)
SELL = Action(
    (
        _DIRECTORY,
        Parameter("thing", "directories of things that were born", many=True),
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
