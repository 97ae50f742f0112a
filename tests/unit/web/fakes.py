"""A controller that answers queries from a table, and a clock that stands still."""

from datetime import UTC, datetime

from thingstead.errors import ConfigError


async def waited(awaitable):
    """What `asyncio.run` takes, of what anybody may await."""
    return await awaitable


STATUS = {
    "domain": "home",
    "uptime_seconds": 61,
    "planes": [{"plane": "data", "mode": "live", "owed": 0}],
    "refused": {"forbidden": 2},
    "dropped": {"replay": 1},
    "ledger": {"entries": 3, "signed": 3},
}
THINGS = [{"thing": "thing-a", "model": "<script>alert(1)</script>", "state": "operational", "restriction": "none"}]


class StillClock:
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    def utc(self):
        return datetime(2026, 1, 1, tzinfo=UTC)


class FakeController:
    """Remembers what it was asked."""

    def __init__(self, answers=None):
        self.answers = (
            {"status": STATUS, "thing.list": THINGS, "data.list": [], "campaign.list": [], "ledger.show": []}
            if answers is None
            else answers
        )
        self.asked = []

    async def ask(self, operation, arguments):
        self.asked.append((operation, dict(arguments)))
        if operation not in self.answers:
            raise ConfigError(f"no operation {operation}")
        return self.answers[operation]
