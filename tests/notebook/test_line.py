"""The grammar of the magic's line."""

from __future__ import annotations

import pytest

from graphrun_nb.notebook.line import FLAGS, OPTIONS, Line, UsageError, read_line, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t ", []),
        ("sums", ["sums"]),
        ("  sums \t x=1  ", ["sums", "x=1"]),
        ("sums x=[1, 2] y=(3, 4) z={5, 6}", ["sums", "x=[1, 2]", "y=(3, 4)", "z={5, 6}"]),
        ("sums x=[f(1, 2), {'a': (3, 4)}] y=1", ["sums", "x=[f(1, 2), {'a': (3, 4)}]", "y=1"]),
        ("sums a='b c' d=\"e f\"", ["sums", "a='b c'", 'd="e f"']),
        ("sums a='] b' c=1", ["sums", "a='] b'", "c=1"]),
        ("sums a=['( b'] c=1", ["sums", "a=['( b']", "c=1"]),
        ('sums a="it\'s b" c=1', ["sums", 'a="it\'s b"', "c=1"]),
        (r"sums a='it\'s b' c=1", ["sums", r"a='it\'s b'", "c=1"]),
        (r"sums a='C:\\' c=1", ["sums", r"a='C:\\'", "c=1"]),
        (r"sums a='b\\\' c' d=1", ["sums", r"a='b\\\' c'", "d=1"]),
        ("sums a='' b=1", ["sums", "a=''", "b=1"]),
        ("sums a='''b c''' d=1", ["sums", "a='''b c'''", "d=1"]),
        ("sums a=1) b=2", ["sums", "a=1)", "b=2"]),
    ],
)
def test_a_line_is_split_at_blanks_outside_of_quotes_and_brackets(text, words):
    assert split(text) == words


@pytest.mark.parametrize("text", ["sums x=[1, 2", "sums x='a b", 'sums x="a', "sums x=f(1, (2)", r"sums x='a\'"])
def test_what_is_not_closed_is_refused(text):
    with pytest.raises(UsageError, match="is not closed"):
        split(text)


def test_a_line_is_taken_apart_without_running_anything():
    assert read_line("sums x=1/0 y='a b' --retry 3 --wait") == Line(
        "sums", {"x": "1/0", "y": "'a b'"}, {"retry": 3}, wait=True
    )


def test_a_bare_name_asks_for_nothing_else():
    assert read_line("sums") == Line("sums", {}, {}, wait=False)


@pytest.mark.parametrize(
    "text", ["sums --retry 3 x=1 --wait", "sums --wait x=1 --retry=3", "run sums --retry 3 --wait x=1"]
)
def test_options_stand_anywhere_behind_the_name(text):
    assert read_line(text) == Line("sums", {"x": "1"}, {"retry": 3}, wait=True)


def test_only_the_first_equals_sign_parts_key_and_value():
    assert read_line("sums x=y==z keep=f(a=1)").inputs == {"x": "y==z", "keep": "f(a=1)"}


def test_the_verb_run_launches_what_has_its_own_name():
    assert read_line("run run x=1") == Line("run", {"x": "1"})


VALUES = {
    "--max-concurrency": ("8", 8),
    "--retry": ("3", 3),
    "--timeout": ("0.5", 0.5),
    "--run-id": ("r-1", "r-1"),
    "--on-changed": ("rerun", "rerun"),
    "--on-unsaved": ("rerun", "rerun"),
    "--resume-from": ("r-1", "r-1"),
    "--session-id": ("a=b", "a=b"),
    "--agent-id": ("a", "a"),
    "--app-id": ("a", "a"),
    "--on-wait": ("raise", "raise"),
    "--executor": ("loop", "loop"),
    "--durability": ("power", "power"),
}


def test_every_option_is_covered_here():
    assert VALUES.keys() == OPTIONS.keys()


@pytest.mark.parametrize("glue", [" ", "="])
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_takes_its_value_behind_a_blank_or_an_equals_sign(option, glue):
    given, meant = VALUES[option]
    name, _ = OPTIONS[option]
    (value,) = read_line(f"sums {option}{glue}{given}").overrides.items()
    assert value == (name, meant)
    assert type(value[1]) is type(meant)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("rest", ["", "=", " --wait", " --fail-fast x=1"])
def test_an_option_without_its_value_is_refused(option, rest):
    with pytest.raises(UsageError, match=f"^{option} needs a value$"):
        read_line(f"sums {option}{rest}")


def test_a_value_that_begins_with_dashes_is_given_behind_an_equals_sign():
    assert read_line("sums --run-id=--odd").overrides == {"run_id": "--odd"}


@pytest.mark.parametrize("option", [name for name, (_, convert) in OPTIONS.items() if convert is not str])
def test_a_value_that_is_no_number_is_shown(option):
    with pytest.raises(UsageError, match=f"^{option} takes a number, not 'many'$"):
        read_line(f"sums {option} many")


def test_flags_are_overrides_and_wait_is_not():
    line = read_line("sums --fail-fast --wait")
    assert (line.overrides, line.wait) == ({"fail_fast": True}, True)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_takes_no_value(flag):
    with pytest.raises(UsageError, match=f"^{flag} takes no value, not 'no'$"):
        read_line(f"sums {flag}=no")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("--max-concurency", "did you mean '--max-concurrency'?"),
        ("--wiat", "did you mean '--wait'?"),
        ("--retrys=3", "did you mean '--retry'?"),
        ("--", "the options are: --max-concurrency, --retry,"),
        ("--zzz", "the options are: --max-concurrency, --retry,"),
    ],
)
def test_an_unknown_option_is_told_what_is_close_or_all_there_are(word, hint):
    with pytest.raises(UsageError, match=f"^there is no option '{word.partition('=')[0]}'") as caught:
        read_line(f"sums {word}")
    assert len(caught.value.hints) == 1
    assert caught.value.hints[0].startswith(hint)


def test_a_key_given_twice_is_refused():
    with pytest.raises(UsageError, match="'x' is given twice"):
        read_line("sums x=1 y=2 x=1")


@pytest.mark.parametrize("word", ["x", "x=", "=1", "3x=1", "x.y=1", "x-y=1", "=", "-x=1", "#"])
def test_a_word_that_is_no_pair_says_how_to_write_one(word):
    with pytest.raises(UsageError, match="is neither key=value nor an option") as caught:
        read_line(f"sums {word}")
    assert caught.value.hints == ("write key=value, without blanks around =",)


@pytest.mark.parametrize("text", ["", "   ", "run", "run  "])
def test_a_line_without_a_graph_asks_which(text):
    with pytest.raises(UsageError, match="which graph") as caught:
        read_line(text)
    assert "%graphrun NAME" in caught.value.hints[0]


@pytest.mark.parametrize("name", ["x=1", "--wait", "my.graph", "3", "'sums'", "(sums)"])
def test_what_is_no_name_is_no_graph(name):
    with pytest.raises(UsageError, match="is no graph's name"):
        read_line(name)
