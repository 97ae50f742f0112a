import pytest

from thingstead.analysis.image_scan import Finding, Limits, Match, judge


def match(rule, pattern, image, part):
    return Match(rule, pattern, image.index(part), len(part), "words")


def judged(rule, pattern, text):
    image = b"\0\0" + text + b"\0"
    return judge(image, [match(rule, pattern, image, text)])


@pytest.mark.requirement("R-88")
@pytest.mark.parametrize(
    "text",
    [
        b'password = "tr0ub4dor&3"',
        b"secret=Zm9vYmFyYmF6",
        b"api_key: 'q8Zk2LmW0x'",
        b"mqtt://thing:w1ndm1ll@broker.example",
        b"machine host login me password w1ndm1ll",
    ],
)
def test_a_value_counts(text):
    assert judged("password_in_config", "weak", text) == [Finding("password_in_config", 2, "words")]


@pytest.mark.parametrize(
    "text",
    [
        b'password = "${DB_PASSWORD}"',
        b'password = "<your password>"',
        b"password={{ vault }}",
        b'password = "xxxxxxxxxxxx"',
        b"password=********",
        b'password = "YOUR_PASSWORD_HERE"',
        b"password=settings.PASSWORD",
        b"password=getenv(x)",
        b"https://user:$PASS@host.example",
        b"password: ",
        b"nothing",
    ],
)
def test_a_placeholder_and_a_variable_do_not_count(text):
    assert judged("password_in_config", "weak", text) == []


def test_a_token_of_one_character_or_from_a_manual_does_not_count():
    assert judged("cloud_token", "github", b"ghp_" + b"x" * 36) == []
    assert judged("cloud_token", "aws", b"AKIA" + b"IOSFODNN7EXAMPLE") == []
    assert judged("cloud_token", "github", b"ghp_" + bytes(range(65, 91)) + b"0123456789")


def addresses(image):
    found, offset = [], 0
    for word in image.split(b" "):
        if b"@" in word:
            found.append(Match("e_mail_address", "list", offset, len(word), "list"))
        offset += len(word) + 1
    return found


@pytest.mark.requirement("R-88")
def test_five_addresses_close_together_are_one_list():
    image = b" ".join([b"user%d@people.example" % number for number in range(12)])
    assert judge(image, addresses(image)) == [Finding("e_mail_address", 0, "list")]


def test_one_author_many_times_and_authors_far_apart_are_no_list():
    same = b" ".join([b"author@project.example"] * 12)
    apart = b" ".join([b"user%d@people.example " % number + b"x" * 200 for number in range(12)])
    assert judge(same, addresses(same)) == []
    assert judge(apart, addresses(apart)) == []


def test_findings_come_in_the_order_of_the_image_once_each_and_up_to_the_limit():
    matches = [Match("b", "p", offset, 1, "w") for offset in (9, 3, 3, 7)] + [Match("a", "p", 7, 1, "w")]
    assert [(row.offset, row.rule) for row in judge(bytes(10), matches)] == [(3, "b"), (7, "a"), (7, "b"), (9, "b")]
    assert len(judge(bytes(10), matches, limits=Limits(max_findings=2))) == 2
