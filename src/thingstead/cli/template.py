"""The policy that a new domain starts with: rights and declared series, and nobody who may join yet."""

from __future__ import annotations

from thingstead.domain.policy import PROFILES, ProfileName, Verdict
from thingstead.protocols.link_format.registration import OWN
from thingstead.protocols.profile import path
from thingstead.protocols.profile.maintenance import Task, place

__all__ = ["policy_template"]

_TEMPLATE = """\
# Who may join, what each may do, and what is kept of it.
profile = "{profile}"

# Rights by name: path = methods. A request outside them is refused and counted.
[scope.thing]
"{telemetry}" = ["POST"]
"{update}" = ["GET"]
"{image}" = ["GET"]
"{report}" = ["POST"]
"{maintenance}" = ["POST"]
"{status}" = ["FETCH"]
"{directory}" = ["POST"]
"{own}" = ["POST", "DELETE"]
"{endpoints}" = ["GET"]
"{resources}" = ["GET"]

# What the domain may do at every thing.
[granted]
"{light}" = ["GET", "PUT"]
"{keys}" = ["PUT"]
"{standing}" = ["FETCH"]
"{wipe}" = ["POST"]
"{custody}" = ["GET", "PUT"]
"{attestation}" = ["POST"]
{tasks}
# The first rule that names a thing decides; what no rule names is {unlisted}. `thingstead policy explain` says which.
# A rule may also give serials = ["A-0001..A-0100", "B-*"] or a bill, since, until, and a count of how many may be in.
# [[rule]]
# name = "lamps of aurora"
# makers = ["aurora"]
# models = ["LX-*"]
# zone = "floor-1"
# scope = "thing"

# What becomes of a release that gives reason for a concern: "allow", "hold" for a second person, or "refuse". These
# are what counts where nothing is said. `thingstead publication list` shows what waits.
# [release]
# network_grows = "hold"
# secret_in_image = "refuse"
# personal_data_in_image = "refuse"
# sbom_missing = "refuse"
# signature_ends = "hold"
# algorithms_unsafe = "refuse"
# known_vulnerability = "hold"
# [[release.device]]
# models = ["LX-*"]
# class = "C2"
# links = ["802.15.4"]
# max_hours = 24

# From how bad on a known vulnerability puts a thing in quarantine ("never" for never), or on the ledger.
# [vulnerability]
# quarantine_from = "critical"
# ticket_from = "low"

# From how bad on an alarm cuts its thing off ("never" for never), and of how many things of a zone, at one time.
# [response]
# quarantine_from = "alarm"
# share = 0.25
# per_hour = 10
# rest_hours = 24
# lift_hours = 0

# What things may do at each other, for so many hours without asking the domain again; nothing else.
# [[peer]]
# name = "switches command lights"
# clients = ["SW-*"]
# servers = ["LX-*"]
# scope = "switching"
# hours = 24

# A series that is not declared is refused. These are what a thing on this kind of host reports. A series may also say
# how often it comes (every_seconds: who misses it is called silent), how old a value may be (stale_after_seconds), and
# which services it `needs`, such as "availability" or "staleness-detection": without them it is not taken up.
[[series]]
name = "load"
purpose = "see that a thing is alive"
retention_days = 30

[[series]]
name = "memory"
purpose = "find faults before they stop a thing"
retention_days = 30

[[series]]
name = "temperature"
purpose = "find faults before they stop a thing"
retention_days = 30

[[series]]
name = "received"
purpose = "notice a thing that talks too much"
retention_days = 30
"""


def policy_template(profile: ProfileName) -> str:
    """TOML for `policy.toml`, with the defaults of `profile` said in words."""
    return _TEMPLATE.format(
        profile=profile.value,
        unlisted=_UNLISTED[PROFILES[profile].unlisted],
        telemetry=path.TELEMETRY,
        update=path.UPDATE,
        image=path.UPDATE_IMAGE,
        report=path.UPDATE_REPORT,
        status=path.CREDENTIAL_STATUS,
        directory=path.RD,
        own=OWN,
        endpoints=path.RD_LOOKUP_EP,
        resources=path.RD_LOOKUP_RES,
        light=path.LIGHT,
        keys=path.GROUP_KEYS,
        standing=path.STANDING,
        wipe=path.WIPE,
        custody=path.CUSTODY,
        attestation=path.ATTESTATION,
        maintenance=path.MAINTENANCE,
        tasks="".join([f'"{place(task)}" = ["POST"]\n' for task in Task]),
    )


_UNLISTED = {
    Verdict.ADMIT: "let in",
    Verdict.HOLD: "held until you say `thingstead thing admit` (`thing waiting` lists them)",
    Verdict.REFUSE: "refused",
}
