"""Each rule by a hand-made unit that passes all of them, changed in one thing at a time."""

import datetime as dt

import polars as pl
import pytest

from samplads import loading
from samplads.errors import SampladsError
from samplads.matching.case import Case
from samplads.matching.eligibility import RULES, RuleKind
from samplads.matching.explanation import QUESTIONS
from samplads.matching.places import SCHEMA, Places
from samplads.matching.ranking import MatchResult, compare, failing, match
from samplads.matching.score import CRITERIA, Weights
from tests.strategies_matching import AS_OF, CLOSURE, MUNICIPALITIES

TREE = pl.DataFrame(CLOSURE, schema=["ancestor", "descendant"], orient="row")
WEIGHTS = loading.weights(AS_OF)
WANTED = dt.date(2027, 1, 1)
UNIT = dict.fromkeys(SCHEMA) | {
    "unit_id": "A-1",
    "name": "Birkehuset 2",
    "operator_kind": "municipal",
    "municipality": "370",
    "lat": 55.23,
    "lon": 11.76,
    "offer_type": "A108",
    "age_from": 18,
    "age_to": 65,
    "support_level_from": 2,
    "support_level_to": 4,
    "approval_status": "approved",
    "approved_until": dt.date(2028, 12, 31),
    "night_cover": "awake",
    "single_person": False,
    "daily_rate_ore": 284_500,
    "maximum": 8,
    "occupied": 7,
    "accepting": 1,
    "accepting_from": dt.date(2026, 12, 1),
    "status": "open",
    "confirmed_at": AS_OF,
    "primary_groups": ["leaf_a", "other"],
    "secondary_groups": [],
    "excluded_groups": [],
}
NEED = Case(
    municipality="259",
    wanted_from=WANTED,
    offer_types=("A108",),
    target_groups=("leaf_a", "other"),
    age=24,
    support_level=3,
    least_night_cover="sleeping",
    max_daily_rate_ore=300_000,
    max_km=60,
    current_unit="A-9",
    operator_kinds=("municipal", "regional"),
    located_in=("370",),
)


def matched(*changes: dict, case: Case = NEED, **more) -> MatchResult:
    rows = [UNIT | {"unit_id": f"A-{number}"} | change for number, change in enumerate(changes, 1)]
    return match(
        case, Places.from_frame(pl.DataFrame(rows, schema=SCHEMA), TREE), WEIGHTS, as_of=AS_OF, municipalities=MUNICIPALITIES, **more
    )


def changed(**fields) -> Case:
    return Case(**(vars(NEED) | fields))


def only_rule(result: MatchResult) -> tuple:
    """(rule, by, has) of the one near miss."""
    (row,) = result.near_misses.iter_rows(named=True)
    return row["rule"], row["by"], row["has"]


def test_a_unit_that_fits_is_a_hit():
    result = matched({})
    assert result.counts == {"hits": 1, "needs_assessment": 0, "excluded": 0}
    assert set(result.excluded) == set(RULES), "this need asks everything"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"primary_groups": ["leaf_a"]}, ("target_group", 1, None)),
        ({"primary_groups": ["leaf_b"]}, ("target_group", 2, None)),
        ({"excluded_groups": ["branch"]}, ("target_group_excluded", 1, None)),
        ({"offer_type": "A107"}, ("offer_type", None, "A107")),
        ({"age_from": 30}, ("age", 6, None)),
        ({"age_from": None, "age_to": 23}, ("age", 1, None)),
        ({"support_level_from": 4}, ("support_level", 1, None)),
        ({"night_cover": "on_call"}, ("night_cover", 1, "on_call")),
        ({"night_cover": "none"}, ("night_cover", 2, "none")),
        ({"accepting": 0}, ("open_place", 1, None)),
        ({"status": "closed"}, ("intake", None, "closed")),
        ({"accepting_from": dt.date(2027, 1, 22)}, ("open_by", 21, None)),
        ({"daily_rate_ore": 324_000}, ("price", 8, None)),
        ({"daily_rate_ore": 300_001}, ("price", 1, None)),
        ({"lat": 56.0}, ("distance", 6, None)),
        ({"approved_until": dt.date(2026, 12, 31)}, ("approval", 1, "approved")),
        ({"approval_status": "suspended"}, ("approval", None, "suspended")),
        ({"approval_status": "withdrawn", "approved_until": None}, ("approval", None, "withdrawn")),
        ({"unit_id": "A-9"}, ("current_unit", None, None)),
        ({"operator_kind": "private"}, ("operator_kind", None, "private")),
        ({"municipality": "259"}, ("area", None, "259")),
    ],
)
def test_each_rule_fails_alone_and_says_by_how_much(change, expected):
    result = matched(change)
    assert only_rule(result) == expected
    rule = expected[0]
    assert (result.excluded[rule].failed, result.excluded[rule].only_this) == (1, 1)
    assert failing(result, rule) == [change.get("unit_id", "A-1")]
    assert result.near_misses["relaxable"].to_list() == [RULES[rule] is RuleKind.LIMIT]
    assert result.relaxations["rules"].to_list() == ([[rule]] if RULES[rule] is RuleKind.LIMIT else [])


@pytest.mark.parametrize(
    ("change", "rule", "question"),
    [
        ({"primary_groups": [], "secondary_groups": []}, "target_group", "target_group"),
        ({"primary_groups": None, "secondary_groups": None}, "target_group", "target_group"),
        ({"offer_type": None}, "offer_type", "offer_type"),
        ({"age_to": None}, "age", "age"),
        ({"support_level_from": None}, "support_level", "support_level"),
        ({"night_cover": None}, "night_cover", "night_cover"),
        ({"accepting": None, "maximum": None, "occupied": None, "status": None}, "open_place", "open_place"),
        ({"status": "waiting_list"}, "intake", "intake_waiting_list"),
        ({"status": "needs_assessment"}, "intake", "intake_needs_assessment"),
        ({"accepting_from": None}, "open_by", "open_by"),
        ({"daily_rate_ore": None}, "price", "price"),
        ({"lat": None, "lon": None}, "distance", "distance"),
        ({"approval_status": None}, "approval", "approval"),
        ({"approval_status": "conditional"}, "approval", "approval_conditional"),
        ({"operator_kind": None}, "operator_kind", "operator_kind"),
    ],
)
def test_an_unknown_neither_passes_nor_fails_but_asks(change, rule, question):
    result = matched(change)
    assert result.counts == {"hits": 0, "needs_assessment": 1, "excluded": 0}
    (row,) = result.needs_assessment.iter_rows(named=True)
    assert (row["unknown"], row["questions"]) == ([rule], [question])
    assert question in QUESTIONS


@pytest.mark.parametrize(
    "change",
    [
        {"status": None},
        {"approved_until": None},
        {"approval_status": "not_required", "approved_until": dt.date(2020, 1, 1)},
        {"accepting_from": WANTED},
        {"daily_rate_ore": 300_000},
        {"night_cover": "sleeping"},
        {"primary_groups": ["root"], "secondary_groups": ["other"]},
        {"excluded_groups": ["leaf_b"]},
        {"age_from": 24, "age_to": 24},
    ],
)
def test_what_holds_no_unit_out(change):
    assert matched(change).counts["hits"] == 1


def test_a_unit_that_fails_and_has_unknowns_is_excluded_and_a_near_miss_says_how_many_are_unknown():
    result = matched({"night_cover": "none", "age_to": None, "daily_rate_ore": None})
    assert result.counts == {"hits": 0, "needs_assessment": 0, "excluded": 1}
    assert result.near_misses["unknown"].to_list() == [2]
    assert result.relaxations.row(0, named=True) == {"rules": ["night_cover"], "units": 1, "sure": 0}


def test_what_a_need_leaves_open_applies_to_nobody():
    result = matched({"night_cover": None, "age_from": None, "primary_groups": [], "lat": None}, case=Case(municipality="259"))
    assert result.counts["hits"] == 1
    assert list(result.excluded) == ["open_place", "intake", "approval"]
    assert matched({"night_cover": None}, case=changed(least_night_cover="none")).counts["hits"] == 1


def test_a_wanted_day_that_has_passed_means_today():
    passed = changed(wanted_from=AS_OF - dt.timedelta(days=60))
    assert matched({"accepting_from": AS_OF}, case=passed).counts["hits"] == 1
    assert only_rule(matched({"accepting_from": AS_OF + dt.timedelta(days=21)}, case=passed)) == ("open_by", 21, None)
    assert only_rule(matched({"accepting_from": AS_OF, "approved_until": AS_OF - dt.timedelta(days=2)}, case=passed)) == (
        "approval",
        2,
        "approved",
    )


def test_two_groups_are_both_needed_and_a_parent_covers_its_leaves():
    units = ({"primary_groups": ["leaf_a"]}, {"primary_groups": ["branch"], "secondary_groups": ["other"]}, {"primary_groups": ["other"]})
    result = matched(*units, case=changed(current_unit=None))
    assert result.hits["unit_id"].to_list() == ["A-2"]


def test_a_need_for_a_parent_is_sure_only_where_the_parent_is_approved():
    """A unit approved for one of its leaves might fit: the officer is asked which leaf."""
    parent = changed(target_groups=("branch",), current_unit=None)
    result = matched({"primary_groups": ["root"]}, {"primary_groups": ["leaf_a"]}, {"primary_groups": ["other"]}, case=parent)
    assert result.hits["unit_id"].to_list() == ["A-1"]
    assert result.needs_assessment["questions"].to_list() == [["target_group_part"]]
    assert failing(result, "target_group") == ["A-3"]
    refusing = matched({"primary_groups": ["root"], "excluded_groups": ["leaf_b"]}, case=parent)
    assert refusing.needs_assessment["questions"].to_list() == [["target_group_excluded"]]


def test_an_acting_municipality_without_a_point_asks_where_it_is_only_if_distance_matters():
    nowhere = changed(municipality="999")
    result = matched({}, case=nowhere)
    assert result.needs_assessment["questions"].to_list() == [["distance_case"]]
    assert matched({}, case=changed(municipality="999", max_km=None)).hits["km"].to_list() == [None]


def test_points_by_hand():
    """37 km from the acting municipality's point; R is this unit's own rate; awake where sleeping is asked; empty 31 days."""
    result = matched({"confirmed_at": AS_OF - dt.timedelta(days=45), "primary_groups": ["leaf_a"], "secondary_groups": ["other"]})
    (row,) = result.hits.iter_rows(named=True)
    points = {name: row[f"points_{name}"] for name in CRITERIA}
    assert row["metres"] == 36_869
    assert points == {
        "target_groups": 30 * 3 // 4,
        "distance": 15 - 15 * 36_869 // 100_000,
        "price": 15,
        "operator_kind": 10,
        "night_cover": 5 - 5 * 1 // 3,
        "date": 5 - 5 * 31 // 90,
        "freshness": 5 - 5 * 45 // 90,
        "wish_near": 0,
        "wish_setting": 0,
    }
    assert row["points"] == sum(points.values())
    assert result.possible_points == 85


def test_ten_per_cent_over_the_reference_offer_is_worth_half_and_more_is_worth_nothing():
    """The reference is the cheapest sure hit of the same type, not one that needs assessment, not one of another type."""
    units = (
        {"daily_rate_ore": 200_000},
        {"daily_rate_ore": 210_000},
        {"daily_rate_ore": 220_000},
        {"daily_rate_ore": 220_001},
        {"daily_rate_ore": 100_000, "age_to": None},
        {"daily_rate_ore": 90_000, "offer_type": "A107"},
    )
    result = matched(*units, case=changed(offer_types=("A107", "A108")))
    by_id = dict(result.hits.select("unit_id", "points_price").iter_rows())
    assert by_id == {"A-1": 15, "A-2": 15 - 15 * 5 // 20, "A-3": 15 - 15 * 10 // 20, "A-4": 0, "A-6": 15}
    assert result.needs_assessment["points_price"].to_list() == [15]
    named = matched(*units, case=changed(reference_rate_ore=195_000))
    assert dict(named.hits.select("unit_id", "reference_ore").iter_rows())["A-1"] == 195_000


def test_wishes_give_points_and_never_exclude():
    wishing = changed(wish_near=("370",), wish_setting="alone")
    result = matched({}, {"single_person": True}, {"single_person": None}, case=wishing)
    assert result.hits.select("unit_id", "points_wish_near", "points_wish_setting").rows() == [
        ("A-2", 10, 5),
        ("A-1", 10, 0),
        ("A-3", 10, 0),
    ]


def test_a_stale_place_with_more_points_ranks_after_a_fresh_one_and_ties_go_by_id():
    old = AS_OF - dt.timedelta(days=91)
    far = {"lat": 55.0, "lon": 11.9, "operator_kind": "regional", "daily_rate_ore": 299_900}
    result = matched({"confirmed_at": old}, {"confirmed_at": None}, far, far | {"unit_id": "A-10"})
    assert result.hits["unit_id"].to_list() == ["A-10", "A-3", "A-1", "A-2"]
    assert result.hits["freshness"].to_list() == ["fresh", "fresh", "stale", "stale"]
    assert result.hits["points"][2] > result.hits["points"][0]


def test_a_comparison_shows_points_and_verdicts_of_hits_and_others():
    result = matched({}, {"night_cover": "none"}, {"age_to": None})
    shown = compare(result, ["A-3", "A-1", "A-2"])
    assert shown.units["unit_id"].to_list() == ["A-3", "A-1", "A-2"]
    assert shown.verdicts["night_cover"].to_list() == ["pass", "pass", "fail"]
    assert shown.verdicts["age"].to_list() == ["unknown", "pass", "pass"]
    assert shown.points.columns == ["unit_id", *result.score.applied]
    assert shown.units["points"][1] == result.hits["points"][0]


@pytest.mark.parametrize(
    ("ids", "key"),
    [
        (["A-1"] * 2, "compare_twice"),
        (list("abcde"), "compare_too_many"),
        (["A-77"], "match_unit_unknown"),
        (["A-0"], "match_unit_unknown"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(ids, key):
    with pytest.raises(SampladsError, match=key):
        compare(matched({}), ids)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"least_night_cover": "half awake"}, "match_word_unknown"),
        ({"operator_kinds": ("church",)}, "match_word_unknown"),
        ({"wish_setting": "apart"}, "match_word_unknown"),
        ({"age": -1}, "match_number_negative"),
        ({"max_km": float("nan")}, "match_number_negative"),
    ],
)
def test_a_need_out_of_bounds_is_refused(fields, key):
    with pytest.raises(SampladsError, match=key):
        Case(municipality="259", **fields)


def test_a_row_of_the_contract_becomes_a_need():
    row = {
        "need_id": "N-1",
        "municipality": "259",
        "registered_on": AS_OF,
        "target_groups": ["a", "b", "a"],
        "age": None,
        "wish_near": None,
    }
    case = Case.from_row(row)
    assert (case.need_id, case.groups, case.age, case.wish_near) == ("N-1", ("a", "b"), None, ())


def test_units_that_cannot_be_laid_out_say_why():
    frame = pl.DataFrame([UNIT, UNIT], schema=SCHEMA)
    with pytest.raises(SampladsError, match="match_unit_twice"):
        Places.from_frame(frame)
    with pytest.raises(SampladsError, match="match_columns_missing"):
        Places.from_frame(frame.drop("age_to", "night_cover"))


def test_no_units_and_no_tree_are_no_trouble():
    result = match(NEED, Places.from_frame(pl.DataFrame(schema=SCHEMA)), WEIGHTS, as_of=AS_OF, municipalities={})
    assert result.to_json()["counts"] == {"hits": 0, "needs_assessment": 0, "excluded": 0}
    assert result.near_misses.is_empty()
    assert result.relaxations.is_empty()


def test_unknown_rules_and_negative_tops_are_refused():
    with pytest.raises(SampladsError, match="match_rule_unknown"):
        failing(matched({}), "smell")
    with pytest.raises(SampladsError, match="match_top_out_of_range"):
        matched({}, top=-1)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"points": dict(WEIGHTS.points) | {"price": 16}}, "weights_not_hundred"),
        ({"points": dict(WEIGHTS.points) | {"price": -15, "distance": 45}}, "weights_out_of_range"),
        ({"points": {"price": 100}}, "weights_incomplete"),
        ({"distance_zero_km": 0}, "weights_out_of_range"),
        ({"operator_share_pct": dict(WEIGHTS.operator_share_pct) | {"private": 101}}, "weights_out_of_range"),
        ({"tiers": {"fresh": 1, "ageing": 1, "stale": 1}}, "weights_stale_first"),
        ({"tiers": {"fresh": 2, "ageing": 1, "stale": 3}}, "weights_stale_first"),
    ],
)
def test_weights_that_break_their_promise_are_refused(changes, key):
    with pytest.raises(SampladsError, match=key):
        Weights(**(vars(WEIGHTS) | changes))
