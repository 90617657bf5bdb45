"""Folding holds for any text."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from domain.text import fold, sought

# Letters that fold in several ways, with the marks that can follow them.
AWKWARD = st.text(
    st.sampled_from("aAßẞſİıIΣσςµÅÅﬁǰΐ́̇̈ͅⅧ①ｶﾞ가각각\u1fb7\u1f80\u03d3") | st.characters(exclude_categories=["Cs"]),
    max_size=12,
)


@given(AWKWARD)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    """Folding is idempotent."""
    assert fold(text) == fold(fold(text))


@given(AWKWARD)
def test_folded_text_is_composed(text: str) -> None:
    """Folding leaves compatibility characters composed, also those that it took apart itself."""
    assert unicodedata.is_normalized("NFKC", fold(text))


@given(AWKWARD)
def test_folding_ignores_case_and_composition(text: str) -> None:
    """However a text is composed, and in which case it is written, it folds alike."""
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(text) == fold(unicodedata.normalize(form, text))


@given(st.text(st.characters(codec=None), max_size=20))
def test_what_is_looked_for_can_be_looked_for(text: str) -> None:
    """Any text at all becomes one that every store takes; looking for that finds the same."""
    looked_for = sought(text)
    assert looked_for == looked_for.encode().decode() == sought(looked_for)
    assert "\x00" not in looked_for
    assert "\x1f" not in looked_for
