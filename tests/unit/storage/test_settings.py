from dataclasses import dataclass, field

import pytest

from thingstead.errors import ConfigError
from thingstead.storage.settings import load, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    name: str = "a"
    part: Part = field(default_factory=Part)
    parts: tuple[Part, ...] = ()


def test_what_is_not_said_has_its_default(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("[part]\nsize = 3\n[[parts]]\n[[parts]]\nsize = 5\n")
    assert load(path, Whole) == Whole(part=Part(size=3), parts=(Part(), Part(size=5)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nam = 'b'", "a.toml has no setting 'nam'; it knows name, part, parts"),
        ("[part]\nsiz = 1", r"a.toml \[part\] has no setting 'siz'"),
        ("[[parts]]\nsiz = 1", r"a.toml \[parts\] has no setting 'siz'"),
        ("part = 1", "a.toml: Expected `object`"),
        ("[part]\nsize = 'x'", "Expected `int`.*part.size"),
        ("[", "a.toml is not TOML"),
        pytest.param("name = " + "9" * 5_000, "a.toml is not TOML", id="digits"),
        pytest.param("name = " + "[" * 20_000, "a.toml is not TOML", id="depth"),
    ],
)
def test_what_is_not_a_setting_is_one_sentence_that_names_the_place(text, told):
    with pytest.raises(ConfigError, match=told):
        parse(text, Whole, name="a.toml")


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="expected a configuration at"):
        load(path, Whole)
