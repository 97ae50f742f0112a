from thingstead.simulator.decade.tale import Tale, Trouble

TROUBLE = Trouble(12, "A00001", "sleeper, no clock", "no answer")


def test_each_line_is_told_at_once_and_kept():
    told: list[str] = []
    tale = Tale(told.append)
    tale.say("one")
    tale.happen(3, "two")
    assert told == tale.lines == ["one", "  day    3  two"]


def test_a_story_is_good_while_nobody_is_stranded_or_back():
    good, stranded, back = (Tale(lambda _line: None) for _ in range(3))
    stranded.strand(TROUBLE)
    back.return_of(TROUBLE)
    assert [one.is_good for one in (good, stranded, back)] == [True, False, False]
    assert "STRANDED A00001 (sleeper, no clock): no answer" in stranded.lines[0]
    assert "BACK A00001" in back.lines[0]


def test_another_word_is_another_digest():
    one, other = Tale(lambda _line: None), Tale(lambda _line: None)
    assert one.digest == other.digest
    one.say("a")
    other.say("b")
    assert one.digest != other.digest


def test_a_year_begins_with_empty_counts_and_programs_get_all_of_it():
    tale = Tale(lambda _line: None)
    tale.counts["contacts"] = 7
    tale.end_year(1, 2027, "in: 3")
    assert tale.lines[0].startswith("year  1 (2027): 7 contacts")
    assert tale.counts["contacts"] == 0
    tale.strand(TROUBLE)
    document = tale.document(seed=4)
    assert document["seed"] == 4
    assert document["stranded"] == [
        {"day": 12, "serial": "A00001", "character": "sleeper, no clock", "why": "no answer"}
    ]
