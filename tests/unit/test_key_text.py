"""The form of a key."""

import secrets
from binascii import crc32
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.key_text import (
    ALPHABET,
    begins_secret,
    hash_of,
    holds_credential,
    holds_secret,
    is_calendar_secret,
    is_key,
    make_calendar_secret,
    make_key,
    make_token,
)

KEY = make_key(Random(1).choice)  # names of tests contain it, so it is the same in every process


def test_form() -> None:
    """A key is brm_, 30 base62 characters, and their CRC-32 in base62, most significant digit first."""
    key = make_key(lambda characters: characters[-1])
    assert "brm_" + "z" * 30 == key[:34]
    assert crc32(b"z" * 30) == sum(ALPHABET.index(digit) * 62**place for place, digit in enumerate(reversed(key[34:])))
    assert 40 == len(key)


def test_each_is_another() -> None:
    """Two keys are never the same."""
    assert 100 == len({make_key(secrets.choice) for _ in range(100)})


@given(st.integers(0, len(KEY) - 1), st.sampled_from(ALPHABET))
def test_a_mistyped_key_is_none(place: int, letter: str) -> None:
    """One character that is wrong anywhere in a key is found without a look-up."""
    typed = KEY[:place] + letter + KEY[place + 1 :]
    assert (typed == KEY) == is_key(typed)


@pytest.mark.parametrize(
    "text", ["", "brm_", KEY + "\n", KEY[:-1], KEY + "0", KEY.upper(), "é" * 40, "brm_" + "é" * 36]
)
def test_what_is_no_key(text: str) -> None:
    """A text without the form of a key is no key."""
    assert not is_key(text)


@pytest.mark.parametrize(
    ("text", "holds"), [(f"/tasks/{KEY}?x", True), (KEY, True), ("brm_", False), ("brm_" * 9, False)]
)
def test_a_secret_is_found_in_a_text(text: str, holds: bool) -> None:
    """A secret is found wherever it stands in a text. That of a calendar may be in a URL, the others may not."""
    for prefix, never_in_urls in (("brm_", True), ("brs_", True), ("brc_", False)):
        assert holds == holds_secret(text.replace("brm_", prefix))
        assert (holds and never_in_urls) == holds_credential(text.replace("brm_", prefix))


@pytest.mark.parametrize("prefix", ["brm_", "brs_", "brc_"])
def test_the_beginning_of_a_secret(prefix: str) -> None:
    """What was cut off behind its prefix is still found; a word that only begins like one is none."""
    assert begins_secret(f"/x/{prefix}0")
    assert not begins_secret(f"/x/{prefix[:3]}-0")


def test_a_token_is_no_key() -> None:
    """The token of a session has the form of a key, but is none."""
    token = make_token(lambda characters: characters[-1])
    assert ("brs_" + "z" * 30, False) == (token[:34], is_key(token))
    assert holds_secret(token)


def test_the_secret_of_a_calendar_is_no_key() -> None:
    """It has the form of a key with another prefix, and a typing error shows."""
    secret = make_calendar_secret(Random(1).choice)
    assert "brc_" + KEY[4:] == secret
    assert (True, False) == (is_calendar_secret(secret), is_key(secret))
    for other in (KEY, secret[:-1], secret + "0", secret[:-1] + ("0" if secret[-1] != "0" else "1"), ""):
        assert not is_calendar_secret(other)


def test_only_a_hash_is_kept() -> None:
    """The store keeps the SHA-256 of a key."""
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == hash_of("abc").hex()
