"""Which names hide their values, and how those are taken out of texts."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from graphrun_nb.core.secrets import MASK, Secrets, is_secret


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_passwd",
        "api_key",
        "apiKey",
        "APIKey",
        "token",
        "access-token",
        "clientSecret",
        "key2",
    ],
)
def test_these_names_hide_their_values(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "sort_key", "monkey", "keyword", "tokenizer", "passenger", "x", ""])
def test_these_names_do_not(name):
    assert not is_secret(name)


@pytest.mark.parametrize(
    "value",
    ["hunter2-x", b"hunter2-x", ["hunter2-x"], {"a": {"b": ("hunter2-x",)}}, SecretStr("hunter2-x")],
    ids=["text", "bytes", "list", "nested", "pydantic"],
)
def test_texts_inside_a_hidden_value_are_found(value):
    secrets = Secrets()
    secrets.add(value)
    assert secrets.scrub("with hunter2-x, twice: hunter2-x.") == f"with {MASK}, twice: {MASK}."


def test_a_hidden_text_is_found_as_repr_and_as_json():
    hidden = 'it\'s "a"\n\tsécret ✓'
    secrets = Secrets()
    secrets.add(hidden)
    for text in (repr(hidden), json.dumps(hidden, ensure_ascii=False)):
        assert "cret" not in secrets.scrub(text)


def test_the_longer_of_two_secrets_is_taken_out_as_a_whole():
    secrets = Secrets()
    secrets.add(["secret", "secret-and-more"])
    assert secrets.scrub("secret-and-more, secret") == f"{MASK}, {MASK}"


def test_lines_of_a_long_secret_are_hidden_one_by_one():
    secrets = Secrets()
    secrets.add("-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----")
    assert secrets.scrub("line: MIIEvQIBADANBg") == f"line: {MASK}"


def test_short_texts_and_numbers_are_left_in_texts_where_they_may_mean_something_else():
    secrets = Secrets()
    secrets.add(["ab", 1234567, None])
    assert secrets.scrub("ab 1234567 None") == "ab 1234567 None"


def test_what_stands_under_a_secret_name_is_found_at_any_depth():
    secrets = Secrets()
    secrets.find({"user": "ada-lovelace", "auth": [{"api_key": "k-123456"}]})
    assert secrets.scrub("ada-lovelace k-123456") == f"ada-lovelace {MASK}"


def test_a_mask_that_is_no_text_does_no_harm():
    secrets = Secrets()
    secrets.add(object())
    assert secrets.scrub("text") == "text"


@pytest.mark.parametrize("value", ["Bearer hunter2-x", "Basic hunter2-x", "token hunter2-x"])
def test_what_follows_a_scheme_is_hidden_by_itself(value):
    secrets = Secrets()
    secrets.find({"headers": {"Authorization": value}})
    assert secrets.scrub(f"{value} | hunter2-x") == f"{MASK} | {MASK}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ada:hunter2-x@db:5432/runs", f"postgresql://ada:{MASK}@db:5432/runs"),
        ("https://:pw@example.org/a?b=c", f"https://:{MASK}@example.org/a?b=c"),
        ("two: a://b:c@d e://f:g@h", f"two: a://b:{MASK}@d e://f:{MASK}@h"),
        ("https://example.org:8080/@user", "https://example.org:8080/@user"),
        ("https://ada@example.org", "https://ada@example.org"),
        ("mail ada:x@example.org", "mail ada:x@example.org"),
    ],
)
def test_passwords_in_addresses_are_hidden_wherever_an_address_stands(text, shown):
    assert Secrets().scrub(text) == shown


def test_the_password_of_an_address_is_hidden_elsewhere_too():
    secrets = Secrets()
    secrets.find(["postgresql://ada:hunter2-x@db/runs"])
    assert secrets.scrub("wrong password: hunter2-x") == f"wrong password: {MASK}"
