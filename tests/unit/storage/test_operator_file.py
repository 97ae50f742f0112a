"""A line that is not exactly one gives nobody a role, and says where it stands."""

import base64

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.domain.role import Operator, Role
from thingstead.errors import ConfigError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.operator_file import Operators, key_word, parse_operators, read_key_word

pytestmark = pytest.mark.requirement("R-06")

KEY = generate(KeyType.P256).public
USERS = {"ben": 1001, "1004": 1004}


def user_id(name):
    if name not in USERS:
        raise ConfigError(f"no user {name}")
    return USERS[name]


def parse(text):
    return parse_operators(text, user_id=user_id)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("maintainer", "expected a role, who"),
        ("maintainer user:ben ben extra", "expected a role, who"),
        ("root user:ben", "expected a role of auditor, maintainer, user"),
        ("MAINTAINER user:ben", "expected a role"),
        ("owner user:ben", "whoever owns the domain's files"),
        ("installer user:ben", "thingstead installer add"),
        ("manufacturer user:ben", "thingstead trust add"),
        ("user ben", "expected user:NAME or key:KEY"),
        ("user user:nobody-here", "no user nobody-here"),
        ("user key:", "expected a key"),
        ("user key:AAAA", "expected a key"),
        ("user key:not/url", "expected a key"),
        (f"user key:{'A' * 9999}", "expected a key"),
        (f"user user:ben {'n' * 65}", "at most 64"),
        ("user user:ben\nauditor user:ben", "twice"),
        (f"user {key_word(KEY)} a\nauditor {key_word(KEY)} b", "twice"),
    ],
)
def test_what_is_no_line_is_named(line, says):
    with pytest.raises(ConfigError, match=says) as refused:
        parse("# a comment\n\n" + line)
    assert "line " in str(refused.value)


def test_a_secret_key_is_refused_and_not_repeated():
    key = generate(KeyType.P256)
    private = cose_key.public_map(key.public) | {-4: key.private_bytes().reveal()}
    word = "key:" + base64.urlsafe_b64encode(codec.encode(private)).decode()
    with pytest.raises(ConfigError, match="secret") as refused:
        parse(f"user {word}")
    assert word[10:40] not in str(refused.value)


@pytest.mark.parametrize("text", ["#" * ((1 << 18) + 1), "\n" * 1001])
def test_more_than_is_bearable_is_refused(text):
    with pytest.raises(ConfigError, match="at most"):
        parse(text)


def test_users_and_keys_come_as_what_is_written():
    text = f"# who\nmaintainer  user:ben # at night\nauditor user:1004 carla\n\nuser {key_word(KEY)} dora\n"
    assert parse(text) == Operators(
        {1001: Operator(Role.MAINTAINER, "ben"), 1004: Operator(Role.AUDITOR, "carla")},
        {cose_key.thumbprint(KEY): (KEY, Operator(Role.USER, "dora"))},
    )
    assert parse("") == Operators()


def test_a_key_survives_its_word():
    assert read_key_word(key_word(KEY)) == KEY
