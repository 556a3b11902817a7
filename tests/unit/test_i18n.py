"""Every text exists in both languages with the same blanks, and every text that the code asks for exists."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
import yaml

from samplads import i18n, settings
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError

CODE = [*(settings.ROOT / "samplads").rglob("*.py"), *(settings.ROOT / "pages").glob("*.py"), settings.ROOT / "app.py"]
PAGES = sorted(path.stem for path in (settings.ROOT / "pages").glob("*.py"))

ASKED = re.compile(r"""(?:\bsay|i18n\.text|(?<![.\w])text)\(\s*(f?)"([^"]+)\"""")
PLURAL = re.compile(r"""plural\([^"]*?(f?)"([a-z_.{}]+)\"""")
RAISED = re.compile(r"""SampladsError\(\s*"([a-z_]+)\"""")


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys():
    danish, english = (set(i18n.catalogue(language)) for language in i18n.LANGUAGES)
    assert sorted(danish - english) == []
    assert sorted(english - danish) == []


def test_the_blanks_are_the_same():
    english = i18n.catalogue("en")
    assert [key for key, text in i18n.catalogue("da").items() if blanks(text) != blanks(english[key])] == []


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_no_text_is_empty_and_none_hides_another(language: str):
    assert [key for key, text in i18n.catalogue(language).items() if not text.strip() or text == "None"] == []
    folder = i18n.LOCALE / language
    keys: list[str] = []
    for path in folder.rglob("*.yaml"):
        area = path.relative_to(folder).with_suffix("").parts[0]
        keys += i18n._flatten(yaml.safe_load(path.read_text(encoding="utf-8")) or {}, area)
    assert sorted({key for key in keys if keys.count(key) > 1}) == []


def asked_for() -> list[tuple[Path, str, bool]]:
    found = []
    for path in CODE:
        source = path.read_text(encoding="utf-8")
        found += [(path, key, bool(form)) for form, key in ASKED.findall(source) if "." in key and " " not in key]
        found += [(path, f"{key}.one", bool(form)) for form, key in PLURAL.findall(source) if "." in key]
        found += [(path, f"errors.{key}", False) for key in RAISED.findall(source)]
    return found


def test_every_text_that_the_code_asks_for_exists():
    keys = i18n.catalogue("da")
    missing = set()
    for path, key, formed in asked_for():
        pattern = "".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", key)) if formed else None
        if not (any(re.fullmatch(pattern, known) for known in keys) if pattern else key in keys):
            missing.add((path.name, key))
    assert sorted(missing) == []


def test_every_choice_of_a_contract_has_its_words():
    for language in i18n.LANGUAGES:
        for contract in CONTRACTS.values():
            for name, column in contract.columns().items():
                for code in (column.metadata or {}).get("choices", ()):
                    assert i18n.has(f"choices.{name}.{code}", language), (name, code)


def test_words_of_a_choice_differ_so_that_a_delivery_can_be_read_back():
    for language in i18n.LANGUAGES:
        for contract in CONTRACTS.values():
            for name, column in contract.columns().items():
                words = [i18n.text(f"choices.{name}.{code}", language) for code in (column.metadata or {}).get("choices", ())]
                assert len(set(words)) == len(words), (name, words)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_title_and_a_text_in_both_languages(page: str):
    for language in i18n.LANGUAGES:
        assert i18n.has(f"{page}.title", language)
        text = settings.ROOT / "pages" / "text" / language / f"{page}.md"
        assert text.is_file(), text
        assert len(text.read_text(encoding="utf-8")) > 100


def test_an_error_becomes_its_sentence():
    told = i18n.sentence(SampladsError("typed_not_a_number", text="2.5", example="1.234,5"), "da")
    assert told == "“2.5” kan ikke læses som et tal. Skriv det som 1.234,5."
    with pytest.raises(KeyError):
        i18n.text("no.such.text", "da")


NAMED = re.compile(r"""\b[cC]olumn\(\s*"([a-z_]+)"([^()]*(?:\([^()]*\)[^()]*)*)\)""")


def test_every_column_that_pages_name_has_a_header():
    delivered = {name for contract in CONTRACTS.values() for name in contract.columns()}
    lacking = set()
    for path in CODE:
        if {"presenting", "ui", "pages"} & set(path.parts) and path.name != "tables.py":
            for key, rest in NAMED.findall(path.read_text(encoding="utf-8")):
                if "text=" not in rest and key not in delivered and not i18n.has(f"columns.{key}", "da"):
                    lacking.add((path.name, key))
    assert sorted(lacking) == []
