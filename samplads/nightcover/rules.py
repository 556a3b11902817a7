"""Which rules a shared night post keeps, rule by rule: hard ones exclude, soft ones warn, and what nobody has answered is to be assessed.

Rule ids W1-W14 are those of the reference `constraints.csv`; limits and sources come with `Limits` (read from data/rules/night_rules.yaml).
Rules S1-S8 are those of sharing itself:

    S1 response time   the guard reaches each unit within the limit that the unit requires (the farthest journey counts)
    S2 exclusions      no resident's needs exclude a group that another unit is for
    S3 one-to-one      constant one-to-one presence at night cannot be shared
    S4 approval        each unit is approved on the day
    S5 kind            the shared post is at least as wakeful as each unit's own
    S6 staff           incidents that needed more people than the shared post has
    S7 risk            expected overlapping incidents a year stay under the planner's ceiling, and the incidents are known, not assumed
    S8 shift known     the shift lies between noon and noon, so that it can be shared by the night

The hours of the shared post are the hull of the members' shifts, handover included. A rule that two members break is broken by every group
that holds the two, but for S7: over longer hours fewer incidents meet. And a group breaks no rule that none of its pairs breaks, but for S7
and W5: the long hours may come of two members and the risky work of a third. So groups are sought among pairs that keep the hard rules but
S7, and are held against W5 and S7 themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from samplads.model import night_cover_rank

Outcome = Literal["pass", "warn", "unknown", "fail"]

OUTCOMES: tuple[Outcome, ...] = ("pass", "warn", "unknown", "fail")
"""From the best to the worst."""
HARD = ("W1", "W2", "W3", "W4", "W5", "W9", "W10", "W12", "S1", "S2", "S3", "S4", "S5", "S7", "S8")
SOFT = ("W6", "W7", "W8", "W11", "W13", "W14", "S6")


@dataclass(frozen=True)
class Limit:
    """One rule's figure, what it is counted in, and where it stands. None where the rule has no figure."""

    value: float | None
    unit: str
    source: str


Limits = Mapping[str, Limit]
"""Every rule's limit by its id. W14 has two: W14 (least) and W14_most; W1_agreed is the rest that an agreement may cut it to, W2_days the
days between two days off, W13_sleeping and W13_on_call the shares of working time.
"""


@dataclass(frozen=True)
class Practice:
    """How the operator plans its night workers: assumptions that the planner can edit; None is not answered.

    nights_in_a_row and nights_off after them; average working hours a week with overtime; how often a health check is offered, and
    whether it is offered before night work starts; nights a week planned for a pregnant employee; whether an agreement lets the daily
    rest be cut and gives compensating rest.
    """

    nights_in_a_row: int | None
    nights_off: int | None
    weekly_hours: float | None
    health_check_years: float | None
    pregnant_nights: float | None
    health_check_before: bool | None = None
    rest_agreement: bool | None = None


@dataclass(frozen=True)
class Member:
    """One unit as the rules see it; None is not told. `start` and `end` in minutes as in post_cost."""

    unit_id: str
    night_cover: str
    posts: int
    start: int
    end: int
    operator_kind: str | None = None
    approval_status: str | None = None
    approved_until: dt.date | None = None
    one_to_one: bool | None = None
    risky_work: bool | None = None
    lone_work_danger: bool | None = None
    danger_met_by: str | None = None
    response_minutes_limit: float | None = None
    groups: frozenset[str] = frozenset()
    excludes: frozenset[str] | None = None
    staff_needed: int | None = None
    located: bool = True
    incidents_known: bool = True


@dataclass(frozen=True)
class Shared:
    """The post that the members would share. `travel`: minutes to each member from the farthest other, in the members' order.

    `working_share` is the share of its hours that the costing counts as working time. `ceiling` is the planner's limit on overlaps a year.
    """

    kind: str
    travel: tuple[float, ...]
    posts: int = 1
    handover_minutes: int = 0
    working_share: float = 1.0
    overlaps: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True)
class Verdict:
    """One rule judged: the value found, the limit it was held against, where the limit stands, and whose answer it was (None: the
    coupling's).
    """

    rule: str
    hard: bool
    outcome: Outcome
    value: float | str | None
    limit: float | str | None
    unit: str
    source: str
    unit_id: str | None = None


def hull(members: Sequence[Member]) -> tuple[int, int]:
    """Start and end of the shared post."""
    return min(member.start for member in members), max(member.end for member in members)


def yes_no(answer: bool | None) -> str | None:
    """A recorded answer as a verdict's value."""
    return None if answer is None else "yes" if answer else "no"


def clock(member: Member) -> str:
    """A member's shift by the clock: "23:00-07:00"."""
    start, end = (f"{minute // 60 % 24:02d}:{minute % 60:02d}" for minute in (member.start, member.end))
    return f"{start}-{end}"


def status(verdicts: Sequence[Verdict]) -> Outcome:
    """The coupling's status: "fail" where a hard rule is broken, else "unknown" (to be assessed) where an answer lacks, else "warn" or
    "pass".
    """
    worst = max((OUTCOMES.index(verdict.outcome) for verdict in verdicts), default=0)
    return OUTCOMES[worst]


def assess(members: Sequence[Member], shared: Shared, limits: Limits, practice: Practice, as_of: dt.date) -> tuple[Verdict, ...]:
    """Every rule's verdict on members who would share one post. Order: the coupling's rules first, then member by member."""
    return Assessor(limits, practice, as_of).assess(members, shared)


@dataclass(frozen=True)
class _Part:
    """Some verdicts of a coupling, and those of them that are no "pass"."""

    verdicts: tuple[Verdict, ...]
    lapses: tuple[Verdict, ...]


class Assessor:
    """Judges couplings of the same units under the same limits, again and again.

    What the length of the shift or a member answers by itself is judged once: of the 28 verdicts on a pair some six are the pair's own. A
    member is known by its unit id; two members of one id may differ in `located` only.
    """

    def __init__(self, limits: Limits, practice: Practice, as_of: dt.date) -> None:
        self._limits, self._practice, self._as_of = limits, practice, as_of
        self._parts: dict[tuple[object, ...], _Part] = {}

    def assess(self, members: Sequence[Member], shared: Shared) -> tuple[Verdict, ...]:
        """As the function `assess`."""
        return tuple(verdict for part in self._judged(members, shared) for verdict in part.verdicts)

    def lapses(self, members: Sequence[Member], shared: Shared) -> list[Verdict]:
        """Those verdicts of `assess` that are no "pass", in its order."""
        return [verdict for part in self._judged(members, shared) for verdict in part.lapses]

    def _judged(self, members: Sequence[Member], shared: Shared) -> list[_Part]:
        start, end = hull(members)
        hours = (end - start + shared.handover_minutes) / 60
        parts = [self._of_hours(hours, members), self._of_coupling(members, shared)]
        for member, travel in zip(members, shared.travel, strict=True):
            parts += (self._before(member, shared, hours), self._of_journey(member, travel), self._after(member, shared))
        return parts

    def _of_hours(self, hours: float, members: Sequence[Member]) -> _Part:
        key = ("hours", hours, *(member.risky_work for member in members))
        if (part := self._parts.get(key)) is None:
            judged, practice = _Judged(self._limits), self._practice
            judged.rest(hours, practice)
            judged.weekly_rest(hours, practice)
            judged.at_most("W3", practice.weekly_hours)
            judged.at_most("W4", None if practice.weekly_hours is None else practice.weekly_hours / 6)
            judged.risky_hours(hours, members)
            judged.at_most("W6", practice.nights_in_a_row)
            judged.at_most("W7", hours)
            judged.at_most("W8", practice.pregnant_nights)
            judged.at_most("W9", practice.health_check_years)
            judged.health_check_before(practice)
            part = self._parts[key] = judged.part()
        return part

    def _of_coupling(self, members: Sequence[Member], shared: Shared) -> _Part:
        judged = _Judged(self._limits)
        judged.on_call(shared, members)
        judged.verified_share(shared)
        judged.exclusions(members)
        judged.risk(shared, members)
        return judged.part()

    def _before(self, member: Member, shared: Shared, hours: float) -> _Part:
        key = ("before", member.unit_id, shared.posts, hours)
        if (part := self._parts.get(key)) is None:
            judged = _Judged(self._limits)
            judged.lone_work(member, shared)
            judged.violence(member)
            judged.regional_hours(member, hours)
            part = self._parts[key] = judged.part()
        return part

    def _of_journey(self, member: Member, travel: float) -> _Part:
        judged = _Judged(self._limits)
        judged.response(member, travel)
        return judged.part()

    def _after(self, member: Member, shared: Shared) -> _Part:
        key = ("after", member.unit_id, shared.posts, shared.kind)
        if (part := self._parts.get(key)) is None:
            judged = _Judged(self._limits)
            judged.one_to_one(member)
            judged.approval(member, self._as_of)
            judged.kind(member, shared)
            judged.staff(member, shared)
            judged.shift(member)
            part = self._parts[key] = judged.part()
        return part


class _Judged:
    """Collects verdicts; one method a rule."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.verdicts: list[Verdict] = []

    def part(self) -> _Part:
        """What is recorded."""
        return _Part(tuple(self.verdicts), tuple(verdict for verdict in self.verdicts if verdict.outcome != "pass"))

    # Values in words are codes: those of the contracts' choices, "yes" and "no", a target group, or a shift by the clock.
    def add(
        self, rule: str, outcome: Outcome, value: float | str | None, unit_id: str | None = None, limit: float | str | None = None
    ) -> None:
        """Record a verdict; a soft rule can only warn."""
        stated = self.limits[rule]
        hard = rule in HARD
        if outcome == "fail" and not hard:
            outcome = "warn"
        shown = stated.value if limit is None else limit
        self.verdicts.append(Verdict(rule, hard, outcome, value, shown, stated.unit, stated.source, unit_id))

    def most(self, rule: str) -> float:
        """A rule's figure; a rule without one has no business being asked for it."""
        value = self.limits[rule].value
        if value is None:
            raise ValueError(rule)
        return value

    def at_most(self, rule: str, value: float | None) -> None:
        """A rule that is a ceiling on one figure."""
        self.add(rule, "unknown" if value is None else "pass" if value <= self.most(rule) + 1e-9 else "fail", value)

    def rest(self, hours: float, practice: Practice) -> None:
        """W1: what is left of 24 hours between two nights in a row.

        An agreement with compensating rest may cut it as far as W1_agreed: that warns, since every night would use the exception. Without
        an answer on the agreement the rule is to be assessed.
        """
        rest = 24 - hours
        outcome: Outcome
        if rest >= self.most("W1") - 1e-9:
            outcome = "pass"
        elif rest < self.most("W1_agreed") - 1e-9 or practice.rest_agreement is False:
            outcome = "fail"
        else:
            outcome = "warn" if practice.rest_agreement else "unknown"
        self.add("W1", outcome, rest)

    def health_check_before(self, practice: Practice) -> None:
        """W9, its first half: the check is offered before night work starts."""
        answer = practice.health_check_before
        self.add("W9", "unknown" if answer is None else "pass" if answer else "fail", yes_no(answer), limit="before_nights")

    def weekly_rest(self, hours: float, practice: Practice) -> None:
        """W2: hours off after a row of nights: each night off gives 24 hours beside the daily rest; no more than six days between."""
        if practice.nights_in_a_row is None or practice.nights_off is None:
            self.add("W2", "unknown", None)
            return
        rest = 24 * (practice.nights_off + 1) - hours
        kept = rest >= self.most("W2") - 1e-9 and practice.nights_in_a_row <= self.most("W2_days")
        self.add("W2", "pass" if kept else "fail", rest)

    def risky_hours(self, hours: float, members: Sequence[Member]) -> None:
        """W5: in particularly risky work no shift over the limit; a shift within it keeps the rule whatever the answer."""
        if hours <= self.most("W5") + 1e-9:
            self.add("W5", "pass", hours)
            return
        told = [member.risky_work for member in members]
        self.add("W5", "fail" if any(told) else "unknown" if None in told else "pass", hours)

    def on_call(self, shared: Shared, members: Sequence[Member]) -> None:
        """W12: an on-call post with so short a response that own time is lost is working time: it must be costed so."""
        if shared.kind != "on_call":
            return
        demands = [member.response_minutes_limit for member in members if member.response_minutes_limit is not None]
        if not demands:
            self.add("W12", "unknown", None)
            return
        tight = min(demands) <= self.most("W12")
        outcome: Outcome = "fail" if tight and shared.working_share < 1 else "pass"
        if not tight and shared.working_share < 1 and len(demands) < len(members):
            # Who has told nothing may ask for a shorter response than all who have.
            outcome = "unknown"
        self.add("W12", outcome, min(demands))

    def verified_share(self, shared: Shared) -> None:
        """W13: the share of working time of a sleeping or on-call night is the state's; the municipal one is not verified."""
        if shared.kind in ("sleeping", "on_call") and shared.working_share < 1:
            self.add("W13", "warn", shared.working_share, limit=self.limits[f"W13_{shared.kind}"].value)

    def exclusions(self, members: Sequence[Member]) -> None:
        """S2: what one excludes, another is for."""
        for member in members:
            others = [other for other in members if other.unit_id != member.unit_id]
            if member.excludes is None:
                self.add("S2", "unknown", None, member.unit_id)
                continue
            met = sorted(group for group in member.excludes for other in others if group in other.groups)
            if met:
                self.add("S2", "fail", met[0], member.unit_id)
            elif member.excludes and any(not other.groups for other in others):
                self.add("S2", "unknown", None, member.unit_id)
            else:
                self.add("S2", "pass", None, member.unit_id)

    def risk(self, shared: Shared, members: Sequence[Member]) -> None:
        """S7: a risk reckoned from assumed incidents is to be assessed, whatever it is; a known one is held against the planner's
        ceiling.
        """
        value = shared.overlaps
        outcome: Outcome
        if shared.ceiling is not None and value is not None and value > shared.ceiling:
            outcome = "fail"
        elif value is None or not all(member.incidents_known for member in members):
            outcome = "unknown"
        else:
            outcome = "pass"
        self.add("S7", outcome, value, limit=shared.ceiling)

    def lone_work(self, member: Member, shared: Shared) -> None:
        """W10: nobody works alone where the special danger is not met.

        Two on duty is met by two shared guards who go together, or by two who stay when the shared one leaves. A flagged danger without a
        recorded answer counts as unmet; an answer that contradicts the flag, or none at all, is to be assessed.
        """
        answer, danger = member.danger_met_by, member.lone_work_danger
        together = shared.posts >= 2 or member.posts - 1 >= 2
        outcome: Outcome
        if together:
            outcome = "pass"
        elif answer == "two_on_duty" or answer == "unmet":
            outcome = "fail"
        elif answer == "alarm_response":
            outcome = "unknown" if member.response_minutes_limit is None else "pass"
        elif answer == "no_special_danger":
            outcome = "unknown" if danger else "pass"
        elif danger is None:
            outcome = "unknown"
        else:
            outcome = "fail" if danger else "pass"
        minutes = member.response_minutes_limit if answer == "alarm_response" else None
        self.add("W10", outcome, answer, member.unit_id, limit=minutes)

    def violence(self, member: Member) -> None:
        """W11: plan with knowledge of violence; not new or young alone."""
        known = member.risky_work if member.risky_work is not None else member.lone_work_danger
        self.add("W11", "unknown" if known is None else "warn" if known else "pass", yes_no(known), member.unit_id)

    def regional_hours(self, member: Member, hours: float) -> None:
        """W14: normal shift length in the regions."""
        if member.operator_kind != "regional":
            return
        least, most = self.most("W14"), self.most("W14_most")
        self.add("W14", "pass" if least <= hours <= most else "warn", hours, member.unit_id, limit=f"{least:g}-{most:g}")

    def response(self, member: Member, travel: float) -> None:
        """S1: the journey from the farthest other unit against the unit's own limit."""
        limit = member.response_minutes_limit
        if limit is None or not member.located:
            self.add("S1", "unknown", travel, member.unit_id, limit=limit)
            return
        self.add("S1", "pass" if travel <= limit else "fail", travel, member.unit_id, limit=limit)

    def one_to_one(self, member: Member) -> None:
        """S3: constant presence."""
        answer = member.one_to_one
        self.add("S3", "unknown" if answer is None else "fail" if answer else "pass", yes_no(answer), member.unit_id)

    def approval(self, member: Member, as_of: dt.date) -> None:
        """S4: approved on the day; a conditional approval warns. Where none is required, an old one may have run out."""
        outcome: Outcome
        value, until = member.approval_status, member.approved_until
        expired = value != "not_required" and until is not None and until < as_of
        if value is None:
            outcome = "unknown"
        elif value in ("suspended", "withdrawn") or expired:
            outcome = "fail"
        else:
            outcome = "warn" if value == "conditional" else "pass"
        self.add("S4", outcome, value, member.unit_id)

    def kind(self, member: Member, shared: Shared) -> None:
        """S5: never less wakeful than the unit's own post."""
        kept = night_cover_rank(shared.kind) >= night_cover_rank(member.night_cover)
        self.add("S5", "pass" if kept else "fail", shared.kind, member.unit_id, limit=member.night_cover)

    def staff(self, member: Member, shared: Shared) -> None:
        """S6: an incident needed more people than the shared post and those who stay."""
        if member.staff_needed is None:
            return
        there = shared.posts + member.posts - 1
        self.add("S6", "pass" if member.staff_needed <= there else "warn", member.staff_needed, member.unit_id, limit=there)

    def shift(self, member: Member) -> None:
        """S8: a shift across noon is no night shift."""
        self.add("S8", "pass" if member.start >= 720 and member.end <= 2160 else "fail", clock(member), member.unit_id)
