"""A match in words, in both languages."""

import datetime as dt

import pytest

from samplads import i18n, policy
from samplads.matching.case import Case
from samplads.matching.eligibility import RULES, RuleKind
from samplads.matching.explanation import QUESTIONS
from samplads.matching.score import CRITERIA
from samplads.presenting import matching as words
from tests.strategies_matching import AS_OF
from tests.unit.matching.test_match_rules import NEED, changed, matched

YEAR_START = dt.date(2026, 1, 1)


def miss(change: dict, language: str = "da", case: Case = NEED) -> str:
    result = matched(change, case=case)
    (row,) = result.near_misses.iter_rows(named=True)
    return words.near_miss(row, result, language, {"A107": "Midlertidigt botilbud", "259": "Køge"})


@pytest.mark.parametrize(
    ("change", "danish", "english"),
    [
        ({"night_cover": "on_call"}, "tilkaldevagt om natten, mindst sovende kræves", "on-call night cover, at least sleeping needed"),
        ({"daily_rate_ore": 324_000}, "8 % for dyr", "8 % too dear"),
        ({"accepting_from": dt.date(2027, 1, 2)}, "åbner 1 dag efter den ønskede dag", "opens 1 day after the day wanted"),
        ({"accepting_from": dt.date(2027, 1, 22)}, "åbner 21 dage efter den ønskede dag", "opens 21 days after the day wanted"),
        ({"lat": 56.0}, "6 km for langt væk", "6 km too far away"),
        ({"age_from": 30}, "6 år uden for aldersgrænsen", "6 years outside the ages it is for"),
        ({"offer_type": "A107"}, "anden tilbudstype: Midlertidigt botilbud", "another offer type: Midlertidigt botilbud"),
        ({"municipality": "259"}, "ligger i Køge", "lies in Køge"),
        ({"operator_kind": "private"}, "driftsherren er privat", "the operator is private"),
        ({"approval_status": "suspended"}, "godkendelsen er suspenderet", "the approval is suspended"),
        ({"approved_until": dt.date(2026, 12, 30)}, "godkendelsen udløber 2 dage for tidligt", "the approval ends 2 days too early"),
        ({"accepting": 0}, "ingen åben plads nu", "no open place now"),
        ({"status": "closed"}, "lukket for indflytning", "closed for moving in"),
        ({"primary_groups": ["leaf_a"]}, "ikke godkendt til 1 af målgrupperne", "not approved for 1 of the target groups"),
    ],
)
def test_a_near_miss_says_by_how_much(change, danish, english):
    assert miss(change) == danish
    assert miss(change, "en") == english


def test_a_near_miss_of_a_need_wanted_now_counts_from_today():
    now = changed(wanted_from=AS_OF)
    assert miss({"accepting_from": AS_OF + dt.timedelta(days=21)}, case=now) == "åbner om 21 dage"
    assert miss({"night_cover": "sleeping"}, case=changed(least_night_cover="awake")) == "sovende nattevagt, vågen kræves"
    assert miss({"daily_rate_ore": 1}, case=changed(max_daily_rate_ore=0)) == "takst over 0 kr."


def test_the_answer_is_one_sentence():
    result = matched({}, {"age_to": None}, *[{"age_from": 30}] * 3)
    assert words.answer(result, "da") == "1 afdeling passer, 1 kræver vurdering, 3 falder fra."
    assert words.answer(result, "en") == "1 unit fits, 1 need assessment, 3 are excluded."
    assert "målgruppe 30/30 · afstand " in words.points_by_criterion(result.hits.row(0, named=True), result, "da")


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_rule_criterion_and_question_has_its_words(language):
    assert all(words.rule(name, language) for name in RULES)
    assert all(words.criterion(name, language) for name in CRITERIA)
    assert all(words.question(name, language) for name in QUESTIONS)
    assert all(i18n.has(f"matching.rule_kind.{kind.value}", language) for kind in RuleKind)


@pytest.mark.parametrize("name", ["matching", "freshness"])
def test_every_policy_value_says_what_it_is_in_both_languages_and_where_it_is_from(name):
    values = policy.load(name, YEAR_START).values
    entries = [values] if name == "freshness" else list(values.values())
    for section in entries:
        for entry in section.values():
            assert isinstance(entry["value"], int)
            assert entry["da"]
            assert entry["en"]
            assert entry["source"]


def test_near_misses_are_written_for_a_frame_of_many():
    result = matched(*[{"age_from": 30}, {"night_cover": "none"}, {"accepting": 0}])
    told = [words.near_miss(row, result, "da") for row in result.near_misses.iter_rows(named=True)]
    assert told == ["ingen nattevagt, mindst sovende kræves", "6 år uden for aldersgrænsen", "ingen åben plads nu"]
