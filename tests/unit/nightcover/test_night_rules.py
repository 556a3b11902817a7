"""Each rule, each way round: which rule, which outcome, on whose answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplads.nightcover import rules
from samplads.nightcover.rules import Member, Shared, assess, status
from tests.strategies_nightcover import DAY, assumptions

GIVEN = assumptions()
A = Member(
    unit_id="A",
    night_cover="awake",
    posts=1,
    start=1380,
    end=1860,
    operator_kind="municipal",
    approval_status="approved",
    approved_until=dt.date(2028, 12, 31),
    one_to_one=False,
    risky_work=False,
    lone_work_danger=False,
    danger_met_by="no_special_danger",
    response_minutes_limit=20,
    groups=frozenset({"g-1"}),
    excludes=frozenset(),
    staff_needed=1,
)
B = replace(A, unit_id="B")
SHARED = Shared(kind="awake", travel=(12.0, 12.0), overlaps=2.0)


def outcomes(a: Member = A, b: Member = B, shared: Shared = SHARED, practice: rules.Practice = GIVEN.practice) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for verdict in assess([a, b], shared, GIVEN.limits, practice, DAY):
        found.setdefault(verdict.outcome, set()).add(verdict.rule)
        assert verdict.source
        assert verdict.hard == (verdict.rule in rules.HARD)
        assert verdict.hard or verdict.outcome != "fail"
    return found


def test_a_couple_in_order_passes_every_rule() -> None:
    found = outcomes()
    assert set(found) == {"pass"}
    assert found["pass"] == {*rules.HARD, *rules.SOFT} - {"W12", "W13", "W14"}
    assert status(assess([A, B], SHARED, GIVEN.limits, GIVEN.practice, DAY)) == "pass"
    assert status([]) == "pass"


CASES: list[tuple[str, str, dict[str, object], dict[str, object]]] = [
    ("W10", "fail", {"lone_work_danger": True, "danger_met_by": "unmet"}, {}),
    ("W10", "fail", {"lone_work_danger": True, "danger_met_by": None}, {}),
    ("W10", "fail", {"lone_work_danger": True, "danger_met_by": "two_on_duty", "posts": 2}, {}),
    ("W10", "pass", {"lone_work_danger": True, "danger_met_by": "two_on_duty", "posts": 3}, {}),
    ("W10", "pass", {"lone_work_danger": True, "danger_met_by": "two_on_duty"}, {"posts": 2}),
    ("W10", "pass", {"lone_work_danger": True, "danger_met_by": "alarm_response"}, {}),
    ("W10", "unknown", {"lone_work_danger": True, "danger_met_by": "alarm_response", "response_minutes_limit": None}, {}),
    ("W10", "unknown", {"lone_work_danger": None, "danger_met_by": None}, {}),
    ("W10", "unknown", {"lone_work_danger": True, "danger_met_by": "no_special_danger"}, {}),
    ("W10", "pass", {"lone_work_danger": False, "danger_met_by": None}, {}),
    ("W5", "fail", {"risky_work": True, "end": 1920}, {}),
    ("W5", "fail", {"risky_work": True}, {"handover_minutes": 15}),
    ("W5", "unknown", {"risky_work": None, "end": 1920}, {}),
    ("W5", "pass", {"risky_work": True}, {}),
    ("W5", "pass", {"risky_work": False, "end": 1920}, {}),
    ("W1", "fail", {"start": 1140, "end": 1980}, {}),
    ("W1", "pass", {"start": 1200, "end": 1980}, {}),
    ("W2", "pass", {"start": 1140, "end": 1980}, {}),
    ("W7", "warn", {"end": 1950}, {}),
    ("W11", "warn", {"risky_work": True}, {}),
    ("W11", "unknown", {"risky_work": None, "lone_work_danger": None}, {}),
    ("W14", "pass", {"operator_kind": "regional"}, {}),
    ("W14", "warn", {"operator_kind": "regional", "start": 1140, "end": 1900}, {}),
    ("S1", "fail", {"response_minutes_limit": 11}, {}),
    ("S1", "pass", {"response_minutes_limit": 12}, {}),
    ("S1", "unknown", {"response_minutes_limit": None}, {}),
    ("S1", "unknown", {"located": False}, {}),
    ("S2", "fail", {"excludes": frozenset({"g-1"})}, {}),
    ("S2", "pass", {"excludes": frozenset({"g-2"})}, {}),
    ("S2", "unknown", {"excludes": None}, {}),
    ("S3", "fail", {"one_to_one": True}, {}),
    ("S3", "unknown", {"one_to_one": None}, {}),
    ("S4", "fail", {"approval_status": "withdrawn"}, {}),
    ("S4", "fail", {"approval_status": "suspended"}, {}),
    ("S4", "fail", {"approved_until": dt.date(2026, 10, 31)}, {}),
    ("S4", "pass", {"approved_until": DAY}, {}),
    ("S4", "pass", {"approved_until": None}, {}),
    ("S4", "warn", {"approval_status": "conditional"}, {}),
    ("S4", "fail", {"approval_status": "conditional", "approved_until": dt.date(2026, 10, 31)}, {}),
    ("S4", "pass", {"approval_status": "not_required", "approved_until": dt.date(2020, 1, 1)}, {}),
    ("S4", "unknown", {"approval_status": None}, {}),
    ("S5", "fail", {}, {"kind": "sleeping"}),
    ("S6", "warn", {"staff_needed": 2}, {}),
    ("S6", "pass", {"staff_needed": 2, "posts": 2}, {}),
    ("S7", "fail", {}, {"ceiling": 1.9}),
    ("S7", "pass", {}, {"ceiling": 2.0}),
    ("S7", "unknown", {"incidents_known": False}, {}),
    ("S7", "fail", {"incidents_known": False}, {"ceiling": 1.0}),
    ("S7", "unknown", {}, {"overlaps": None}),
    ("S8", "fail", {"start": 480, "end": 960}, {}),
]


@pytest.mark.parametrize(("rule", "outcome", "member", "shared"), CASES)
def test_one_rule(rule: str, outcome: str, member: dict[str, object], shared: dict[str, object]) -> None:
    told, post = replace(A, **member), replace(SHARED, **shared)  # type: ignore[arg-type]
    for a, b in ((told, B), (replace(told, unit_id="B"), A)):
        assert rule in outcomes(a, b, post)[outcome]


def test_an_approval_that_is_not_required_cannot_run_out() -> None:
    free = replace(A, approval_status="not_required", approved_until=dt.date(2020, 1, 1))
    assert "S4" not in outcomes(free).get("fail", set())


def test_an_exclusion_against_an_unknown_group_is_to_be_assessed() -> None:
    assert "S2" in outcomes(replace(A, excludes=frozenset({"g-9"})), replace(B, groups=frozenset()))["unknown"]


def test_on_call_with_a_short_response_must_be_costed_as_working_time() -> None:
    a, b = replace(A, night_cover="on_call", response_minutes_limit=15), replace(B, night_cover="on_call", response_minutes_limit=60)
    assert "W12" in outcomes(a, b, replace(SHARED, kind="on_call", working_share=1 / 3))["fail"]
    assert "W12" in outcomes(a, b, replace(SHARED, kind="on_call", working_share=1.0))["pass"]
    later = replace(a, response_minutes_limit=30)
    found = outcomes(later, b, replace(SHARED, kind="on_call", working_share=1 / 3))
    assert "W12" in found["pass"]
    assert "W13" in found["warn"]
    half = [later, replace(b, response_minutes_limit=None)]
    assert "W12" in outcomes(*half, replace(SHARED, kind="on_call", working_share=1 / 3))["unknown"]
    assert "W12" in outcomes(*half, replace(SHARED, kind="on_call", working_share=1.0))["pass"]
    assert "W12" in outcomes(a, half[1], replace(SHARED, kind="on_call", working_share=1 / 3))["fail"]
    silent = [replace(member, response_minutes_limit=None) for member in (a, b)]
    assert "W12" in outcomes(*silent, replace(SHARED, kind="on_call", working_share=1 / 3))["unknown"]


@pytest.mark.parametrize(
    ("rule", "outcome", "practice"),
    [
        ("W2", "unknown", {"nights_off": None}),
        ("W2", "fail", {"nights_off": 0}),
        ("W2", "fail", {"nights_in_a_row": 7}),
        ("W3", "fail", {"weekly_hours": 49}),
        ("W3", "unknown", {"weekly_hours": None}),
        ("W4", "fail", {"weekly_hours": 48.6}),
        ("W4", "pass", {"weekly_hours": 48}),
        ("W6", "warn", {"nights_in_a_row": 4}),
        ("W6", "unknown", {"nights_in_a_row": None}),
        ("W8", "warn", {"pregnant_nights": 2}),
        ("W9", "fail", {"health_check_years": 4}),
        ("W9", "unknown", {"health_check_years": None}),
        ("W9", "fail", {"health_check_before": False}),
        ("W9", "unknown", {"health_check_before": None}),
    ],
)
def test_the_operators_practice(rule: str, outcome: str, practice: dict[str, float | None]) -> None:
    assert rule in outcomes(practice=replace(GIVEN.practice, **practice))[outcome]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "agreed", "outcome"),
    [
        (1861, False, "fail"),
        (1861, None, "unknown"),
        (1861, True, "warn"),
        (2036, True, "warn"),
        (2040, False, "fail"),
        (2041, True, "fail"),
        (1860, None, "pass"),
    ],
)
def test_an_agreement_with_compensating_rest_may_cut_the_daily_rest_to_eight_hours(end: int, agreed: bool | None, outcome: str) -> None:
    # From 18:00: 13 hours of night leave the 11 of rest, 16 hours the 8 of an agreement.
    told = replace(A, start=1080, end=end)
    assert "W1" in outcomes(told, replace(told, unit_id="B"), practice=replace(GIVEN.practice, rest_agreement=agreed))[outcome]


def test_a_verdict_says_what_was_answered() -> None:
    alarm = replace(A, danger_met_by="alarm_response", lone_work_danger=True, one_to_one=True, risky_work=True)
    told = {verdict.rule: verdict for verdict in assess([alarm, B], SHARED, GIVEN.limits, GIVEN.practice, DAY) if verdict.unit_id == "A"}
    assert (told["W10"].value, told["W10"].limit) == ("alarm_response", 20)
    assert told["S3"].value == told["W11"].value == "yes"
    assert told["S8"].value == "23:00-07:00"


def test_a_group_breaks_what_a_pair_in_it_breaks() -> None:
    c = replace(A, unit_id="C", end=1920)
    risky = replace(B, risky_work=True)
    three = assess([A, risky, c], replace(SHARED, travel=(12.0, 12.0, 12.0)), GIVEN.limits, GIVEN.practice, DAY)
    assert "W5" in {verdict.rule for verdict in three if verdict.outcome == "fail"}
    assert status(three) == "fail"


ANSWER = st.sampled_from([None, True, False])
MEMBER = st.fixed_dictionaries(
    {
        "night_cover": st.sampled_from(["awake", "sleeping", "on_call"]),
        "posts": st.integers(1, 3),
        "start": st.sampled_from([1320, 1380, 700]),
        "end": st.sampled_from([1800, 1860, 1980]),
        "operator_kind": st.sampled_from([None, "regional", "private"]),
        "approval_status": st.sampled_from([None, "approved", "conditional", "withdrawn"]),
        "one_to_one": ANSWER,
        "risky_work": ANSWER,
        "lone_work_danger": ANSWER,
        "danger_met_by": st.sampled_from([None, "two_on_duty", "alarm_response", "no_special_danger", "unmet"]),
        "response_minutes_limit": st.sampled_from([None, 5.0, 20.0]),
        "groups": st.sampled_from([frozenset(), frozenset({"g-1"}), frozenset({"g-2"})]),
        "excludes": st.sampled_from([None, frozenset(), frozenset({"g-1"})]),
        "staff_needed": st.sampled_from([None, 1, 3]),
        "incidents_known": st.booleans(),
    }
)
POST = st.builds(
    Shared,
    kind=st.sampled_from(["awake", "sleeping", "on_call"]),
    travel=st.tuples(st.sampled_from([4.0, 12.0, 30.0]), st.sampled_from([4.0, 12.0, 30.0])),
    posts=st.integers(1, 2),
    handover_minutes=st.sampled_from([0, 15]),
    working_share=st.sampled_from([0.33, 1.0]),
    overlaps=st.sampled_from([None, 1.0, 9.0]),
    ceiling=st.sampled_from([None, 5.0]),
)


@given(st.lists(MEMBER, min_size=2, max_size=4), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), POST), max_size=12), ANSWER)
def test_who_judges_many_couplings_judges_each_as_if_it_were_the_only_one(
    units: list[dict[str, Any]], posts: list[tuple[int, int, Shared]], agreed: bool | None
) -> None:
    members = [Member(unit_id=f"U-{number}", **told) for number, told in enumerate(units)]
    practice = replace(GIVEN.practice, rest_agreement=agreed)
    many = rules.Assessor(GIVEN.limits, practice, DAY)
    for one, other, post in posts:
        # Where a member stands is the one thing that may change from coupling to coupling.
        pair = [members[one % len(members)], replace(members[other % len(members)], located=bool(other % 2))]
        alone = assess(pair, post, GIVEN.limits, practice, DAY)
        assert many.assess(pair, post) == alone
        assert many.lapses(pair, post) == [verdict for verdict in alone if verdict.outcome != "pass"]


def test_every_rule_has_a_name_in_both_languages() -> None:
    from samplads import i18n

    for rule in (*rules.HARD, *rules.SOFT):
        for language in i18n.LANGUAGES:
            assert i18n.has(f"nightcover.rules.{rule}", language)
            assert rule in GIVEN.limits
