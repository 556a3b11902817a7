from __future__ import annotations

import re
import string

import pytest

from samplads import i18n
from samplads.extracts import Finding, place, rule_name, what_to_do
from samplads.extracts import rules as all_rules
from samplads.extracts.findings import RULES

OWN = {"file", "sheet", "row", "column", "value", "extract"}


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_rule_has_a_name_and_a_remedy(language: str) -> None:
    for rule in all_rules():
        assert rule_name(rule, language)
        assert len(what_to_do(Finding("d", "f.csv", rule, "flagged"), language)) > 20


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_no_text_is_left_of_a_rule_that_is_gone(language: str) -> None:
    named = {key.split(".")[2] for key in i18n.catalogue(language) if key.startswith("deliveries.rules.")}
    assert named == set(all_rules())


def test_both_languages_have_the_same_texts_and_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    da, en = (i18n.catalogue(language) for language in i18n.LANGUAGES)
    keys = {key for key in da if key.startswith("deliveries.")}
    assert keys == {key for key in en if key.startswith("deliveries.")}
    for key in keys:
        assert blanks(da[key]) == blanks(en[key]), key


def test_the_row_rules_of_contracts_set_aside_and_their_flags_flag() -> None:
    found = all_rules()
    assert set(RULES) <= set(found)
    assert found["ends_after_it_starts"] == "set_aside"
    assert found["no_places"] == "flagged"


def test_a_sentence_fills_its_blanks() -> None:
    finding = Finding("d", "unit.csv", "too_large", "set_aside", None, 4, "age_to", "121", "unit", {"most": 120})
    assert what_to_do(finding, "da") == "»121« er over 120. Ret tallet, og send rækken igen."
    assert place(finding, "da") == "unit.csv, række 4, kolonne »age_to«"
    assert place(Finding("d", "x.xlsx", "hidden_rows", "flagged", "Ark1"), "en") == "x.xlsx, sheet “Ark1”"
    cause = Finding(
        "d",
        "f",
        "refers_to_set_aside",
        "set_aside",
        value="A",
        values={"cause_file": "u.csv", "cause_row": 2, "cause_rules": "missing_value, unknown_code"},
    )
    assert "u.csv, række 2: feltet skal udfyldes, ukendt kode" in what_to_do(cause, "da")
    assert not re.search(r"\{\w+\}", what_to_do(Finding("d", "f", "duplicate_key", "set_aside"), "en"))


def test_braces_in_a_delivered_value_are_harmless() -> None:
    finding = Finding("d", "{file}", "not_a_number", "set_aside", column="{0}", value="{value!r} {x.__class__}")
    assert "{value!r} {x.__class__}" in what_to_do(finding, "da")
