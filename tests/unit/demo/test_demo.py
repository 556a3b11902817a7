"""The made-up deliveries: near the published figures, valid but for the planted faults, the same for the same seed, for any folder."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from samplads import __main__, demo, i18n, reference, settings
from samplads.contracts import CONTRACTS
from samplads.demo import needs, profile
from samplads.errors import SampladsError
from samplads.model import haversine_km

AS_OF = dt.date(2026, 11, 1)
OURS = settings.ROOT / "data" / "reference"
COMMITTED = settings.ROOT / "data" / "demo"


@pytest.fixture(scope="module")
def facts() -> reference.Reference:
    return reference.read(OURS)


@pytest.fixture(scope="module")
def small(facts: reference.Reference) -> demo.Demo:
    return demo.compose(facts, scale="small", seed=1, as_of=AS_OF)


@pytest.fixture(scope="module")
def national(facts: reference.Reference) -> demo.Demo:
    return demo.compose(facts, scale="national", seed=7, as_of=AS_OF)


@pytest.fixture(scope="module", params=["small", "national"])
def both(request: pytest.FixtureRequest) -> demo.Demo:
    found: demo.Demo = request.getfixturevalue(request.param)
    return found


def published(item: str) -> float:
    with (OURS / "figures.csv").open(encoding="utf-8", newline="") as lines:
        return next(float(row["value"]) for row in csv.DictReader(lines) if row["item"].startswith(item))


def good(made: demo.Demo, extract: str) -> pl.DataFrame:
    """The rows that no contract sets aside, without the rows that were added as faults."""
    rows, _ = CONTRACTS[extract].filter(made.tables[extract])
    return rows


def real_units(made: demo.Demo) -> pl.DataFrame:
    return made.tables["unit"].filter(pl.col("unit_id").str.contains(r"^A-\d+$"))


def newest(made: demo.Demo) -> pl.DataFrame:
    return made.tables["capacity"].filter(pl.col("as_of") == AS_OF, pl.col("unit_id").str.contains(r"^A-\d+$"))


def persons_in_a_year(made: demo.Demo) -> dict[str, int]:
    stays = good(made, "stay").filter(
        pl.col("starts_on") <= AS_OF, pl.col("ends_on").is_null() | (pl.col("ends_on") > AS_OF - dt.timedelta(days=365))
    )
    counted = stays.join(real_units(made).select("unit_id", "offer_type"), on="unit_id")
    return dict(counted.group_by("offer_type").agg(pl.col("person_ref").n_unique()).iter_rows())


def present(made: demo.Demo) -> pl.DataFrame:
    there = (pl.col("starts_on") <= AS_OF) & (pl.col("ends_on").is_null() | (pl.col("ends_on") > AS_OF))
    units = real_units(made).select("unit_id", home="municipality")
    return good(made, "stay").filter(there).join(units, on="unit_id")


class TestNationalFollowsThePublishedFigures:
    @pytest.mark.parametrize(
        ("code", "item"),
        [
            ("A107", "Persons with stay in temporary residential offer § 107"),
            ("A108", "of which § 108"),
            ("A85B", "of which § 85 in botilbudslignende"),
        ],
    )
    def test_persons_in_a_year(self, national: demo.Demo, code: str, item: str) -> None:
        assert persons_in_a_year(national)[code] == pytest.approx(published(item), rel=0.03)

    def test_offers(self, national: demo.Demo) -> None:
        assert real_units(national)["offer_id"].n_unique() == published("Offers under socialtilsyn")

    def test_share_outside_the_acting_municipality(self, national: demo.Demo) -> None:
        there = present(national)
        share = (there["municipality"] != there["home"]).mean()
        assert share == pytest.approx(published("Residents of botilbud living in another municipality") / 100, abs=0.01)

    def test_a_municipality_uses_the_offers_of_about_25_others(self, national: demo.Demo) -> None:
        hosts = present(national).group_by("municipality").agg(pl.col("home").n_unique())["home"].mean()
        assert hosts == pytest.approx(published("Average number of municipalities whose botilbud"), rel=0.25)

    def test_expensive_cases(self, national: demo.Demo) -> None:
        assert (present(national)["daily_rate_ore"] * 365 >= 2_000_000_00).sum() == published("Cases with botilbud + day offer >= 2 m kr")

    def test_single_person_offers_cost_two_million_or_more(self, both: demo.Demo) -> None:
        single = real_units(both).filter("single_person")
        assert single.height > 100
        assert (single["daily_rate_ore"] * 365 >= 2_000_000_00).all()
        places = single.join(newest(both), on="unit_id")
        assert (places["maximum"] == 1).all()

    def test_size(self, national: demo.Demo) -> None:
        assert real_units(national).height > 6_500
        needs_open = good(national, "need").filter(pl.col("status") == "open")
        assert needs_open.height == pytest.approx(900, abs=3)
        assert national.tables["capacity"]["as_of"].n_unique() == 24 + 1


class TestEveryRow:
    @pytest.mark.parametrize("extract", list(CONTRACTS))
    def test_is_valid_unless_a_fault_was_planted_in_it(self, both: demo.Demo, facts: reference.Reference, extract: str) -> None:
        contract, table = CONTRACTS[extract], both.tables[extract]
        assert table.columns == contract.column_names()
        rows, failure = contract.filter(table)
        key = contract.primary_key()
        joined = pl.concat_str([pl.col(name).cast(pl.String) for name in key], separator="|")
        planted = both.faults.filter(pl.col("extract") == extract)
        spoiled = set(planted.filter(pl.col("outcome") == "set_aside")["key"])
        assert set(failure.invalid().select(joined).to_series()) <= spoiled

        reported = set(planted.filter(pl.col("outcome") == "flagged")["key"])
        for name, (_, holds) in contract.flags().items():
            flagged = set(rows.filter(~holds.fill_null(True)).select(joined).to_series())
            assert flagged == set(planted.filter(pl.col("rule") == name)["key"]), name
            assert flagged <= reported

        # Foreign keys: to the reference folder and to the units.
        codes = {**facts.codes(), "unit.unit_id": both.tables["unit"]["unit_id"]}
        for name, column in contract.columns().items():
            target = (column.metadata or {}).get("refers_to")
            if target is None:
                continue
            told = table.select(joined.alias("key"), name)
            if isinstance(table.schema[name], pl.List):
                told = told.explode(name)
            dangling = told.filter(pl.col(name).is_not_null() & ~pl.col(name).is_in(codes[target].implode()))
            assert set(dangling["key"]) <= spoiled, name

    def test_holds_nothing_that_looks_like_a_civil_registration_number(self, both: demo.Demo) -> None:
        shaped = re.compile(r"(?<!\d)(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d\d[- ]?\d{4}(?!\d)")
        for extract, table in both.tables.items():
            for column in table.select(pl.col(pl.String)).columns:
                distinct = table[column].drop_nulls().unique()
                assert not [text for text in distinct if shaped.search(text)], f"{extract}.{column}"

    def test_covers_all_municipalities(self, both: demo.Demo, facts: reference.Reference) -> None:
        assert set(real_units(both)["municipality"]) == set(facts.municipality["code"])
        has_open = real_units(both).join(newest(both).filter(pl.col("accepting") > 0), on="unit_id")
        assert has_open["municipality"].n_unique() >= 97

    def test_lies_near_its_municipality(self, both: demo.Demo, facts: reference.Reference) -> None:
        units = real_units(both).join(
            facts.municipality.select("code", town_lat="lat", town_lon="lon"), left_on="municipality", right_on="code"
        )
        km = haversine_km(*(units[name].to_numpy() for name in ("lat", "lon", "town_lat", "town_lon")))
        assert np.quantile(km, 0.99) < 22

    def test_persons_never_stay_in_two_places_at_once(self, both: demo.Demo) -> None:
        stays = (
            good(both, "stay")
            .filter(pl.col("stay_id").str.contains(r"^S-\d+$"))
            .sort("person_ref", "starts_on", "ends_on", nulls_last=True)
        )
        overlap = stays.with_columns(before=pl.col("ends_on").shift(1).over("person_ref"), nth=pl.int_range(pl.len()).over("person_ref"))
        assert overlap.filter((pl.col("nth") > 0) & (pl.col("before").is_null() | (pl.col("before") > pl.col("starts_on")))).is_empty()
        assert overlap["nth"].max() >= 1


class TestPlaces:
    def test_occupied_is_the_number_of_persons_there(self, both: demo.Demo) -> None:
        counted = present(both).group_by("unit_id").len()
        compared = newest(both).join(counted, on="unit_id", how="left").with_columns(pl.col("len").fill_null(0))
        differing = set(compared.filter(pl.col("occupied") != pl.col("len"))["unit_id"])
        planted = both.faults.filter(pl.col("rule") == "stays_disagree")["key"].str.split("|").list.first()
        assert differing == set(planted)

    def test_about_half_is_stale(self, both: demo.Demo) -> None:
        age = newest(both).select(days=(pl.lit(AS_OF) - pl.col("confirmed_at")).dt.total_days())["days"]
        assert ((age > 90) | age.is_null()).fill_null(True).mean() == pytest.approx(0.48, abs=0.05)
        assert (age <= 30).fill_null(False).mean() == pytest.approx(0.44, abs=0.05)
        assert age.drop_nulls().min() >= 0

    def test_history_is_monthly_and_sometimes_grows(self, small: demo.Demo) -> None:
        history = small.tables["capacity"].filter(pl.col("unit_id").str.contains(r"^A-\d+$"), pl.col("as_of") >= dt.date(2025, 12, 1))
        counts = history.group_by("unit_id").agg(pl.len(), pl.col("maximum").n_unique().alias("sizes"))
        assert (counts["len"] == 12).all()
        assert 10 < (counts["sizes"] > 1).sum() < 150
        assert (history["confirmed_at"] <= history["as_of"]).drop_nulls().all()

    def test_every_kind_of_fault_is_planted(self, both: demo.Demo) -> None:
        assert set(both.faults["rule"]) >= {
            "states_within_maximum", "closed_but_accepting", "no_places", "duplicate_key", "too_small", "stays_disagree", "stale",
            "never_confirmed", "unknown_code", "unknown_reference", "missing_value", "missing_rate", "rate_without_price_year",
            "duplicate_unit", "approval_expired", "approval_expires_soon", "age_range_ordered", "support_range_ordered",
            "ends_after_it_starts", "unit_or_municipality", "incident_shorter_than_a_shift",
        }  # fmt: skip

    def test_quality_faults_are_exactly_the_planted_ones(self, both: demo.Demo) -> None:
        units = real_units(both)
        planted = {rule: set(keys) for rule, keys in both.faults.group_by("rule").agg("key").iter_rows()}
        found = {
            "missing_rate": units.filter(pl.col("daily_rate_ore").is_null()),
            "approval_expired": units.filter(pl.col("approved_until") < AS_OF),
            "approval_expires_soon": units.filter(pl.col("approved_until").is_between(AS_OF, AS_OF + dt.timedelta(days=90))),
            "duplicate_unit": both.tables["unit"].filter(
                pl.col("address").is_not_null(), pl.struct("name", "address", "municipality").is_duplicated()
            ),
        }
        for rule, rows in found.items():
            assert set(rows["unit_id"]) == planted[rule], rule


class TestShowcase:
    def test_the_need_of_the_manual_is_open(self, both: demo.Demo, facts: reference.Reference) -> None:
        need = good(both, "need").row(by_predicate=pl.col("need_id") == "2026-118", named=True)
        names = dict(facts.target_group.select("code", "en").iter_rows())
        assert [names[code] for code in need["target_groups"]] == ["Autism spectrum", "Externalising (aggressive) behaviour"]
        assert (need["status"], need["age"], need["offer_types"], need["least_night_cover"]) == ("open", 24, ["A108"], "awake")
        assert need["wanted_from"] == dt.date(2027, 1, 1)

    def test_has_hits_unknowns_and_near_misses(self, small: demo.Demo, facts: reference.Reference) -> None:
        told = profile.read(facts)
        need = good(small, "need").row(by_predicate=pl.col("need_id") == "2026-118", named=True)
        koge = facts.municipality.row(by_predicate=pl.col("code") == need["municipality"], named=True)
        approved = small.tables["target_group_approval"].filter(pl.col("rank") != "excluded").group_by("unit_id").agg("target_group")
        units = real_units(small).join(newest(small), on="unit_id").join(approved, on="unit_id")
        km = haversine_km(units["lat"].to_numpy(), units["lon"].to_numpy(), koge["lat"], koge["lon"])
        rules = units.select(
            *[pl.col("target_group").list.contains(code).alias(code) for code in need["target_groups"]],
            kind=pl.col("offer_type") == "A108",
            open=pl.col("accepting") > 0,
            date=pl.col("accepting_from") <= need["wanted_from"],
            age=(pl.col("age_from") <= 24) & (pl.col("age_to") >= 24),
            support=(pl.col("support_level_from") <= 3) & (pl.col("support_level_to") >= 3),
            night=pl.col("night_cover") == "awake",
            rate=pl.col("daily_rate_ore") <= need["max_daily_rate_ore"],
            near=pl.Series(km <= need["max_km"]),
        )
        failed = rules.select(pl.sum_horizontal((~pl.all()).fill_null(False).cast(pl.Int64))).to_series()
        unknown = rules.select(pl.any_horizontal(pl.all().is_null())).to_series()
        assert 5 <= ((failed == 0) & ~unknown).sum() <= 15
        assert ((failed == 0) & unknown).sum() >= 3
        assert (failed == 1).sum() >= 14
        assert told.showcase is not None
        assert len(needs.HITS) == 6

    def test_waits_up_to_214_days(self, small: demo.Demo) -> None:
        waiting = good(small, "need").filter(pl.col("status") == "open", ~pl.col("need_id").str.contains("X"))
        assert waiting.height == pytest.approx(138, abs=1)
        assert (AS_OF - waiting["registered_on"].min()).days == 214


class TestNights:
    def test_only_units_with_night_cover_have_a_roster(self, both: demo.Demo) -> None:
        joined = both.tables["night_roster"].join(real_units(both).select("unit_id", told="night_cover"), on="unit_id")
        assert joined.height == both.tables["night_roster"].height
        assert (joined["night_cover"] == joined["told"]).all()
        assert "none" not in set(joined["night_cover"])

    def test_incidents_fall_in_the_last_year_and_within_the_shift(self, both: demo.Demo) -> None:
        incidents = good(both, "night_incident").filter(pl.col("incident_id").str.contains(r"^H-\d+$"))
        assert incidents["night_of"].min() >= AS_OF - dt.timedelta(days=365)
        assert incidents["night_of"].max() < AS_OF
        rosters = both.tables["night_roster"].select("unit_id", "shift_start", "shift_end")
        timed = incidents.drop_nulls("started_at").join(rosters, on="unit_id")
        within = (pl.col("started_at") >= pl.col("shift_start")) | (pl.col("started_at") < pl.col("shift_end"))
        assert timed.filter(~within).is_empty()
        assert timed.height > 1_000


class TestWriting:
    def test_same_seed_same_bytes_other_seed_other_rows(self, facts: reference.Reference, tmp_path: Path) -> None:
        for name in ("one", "two"):
            demo.write(tmp_path / name, facts, scale="tiny", seed=3, as_of=AS_OF)
        files = sorted(path.name for path in (tmp_path / "one").iterdir())
        assert files == sorted([*(f"{extract}.parquet" for extract in CONTRACTS), "faults.csv", "manifest.yaml"])
        for name in files:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
        other = demo.generate(facts, scale="tiny", seed=4, as_of=AS_OF)
        assert not other["stay"].equals(pl.read_parquet(tmp_path / "one" / "stay.parquet"))

    def test_manifest_says_the_day_and_that_it_is_made_up(self, facts: reference.Reference, tmp_path: Path) -> None:
        demo.write(tmp_path, facts, scale="tiny", seed=3, as_of=dt.date(2026, 2, 28))
        manifest = yaml.safe_load((tmp_path / "manifest.yaml").read_text(encoding="utf-8"))
        assert manifest["as_of"] == dt.date(2026, 2, 28)
        assert manifest["synthetic"] is True
        assert (manifest["seed"], manifest["scale"]) == (3, "tiny")
        assert manifest["sender"]

    def test_the_committed_set_is_what_the_command_gives(self, small: demo.Demo) -> None:
        assert sum(path.stat().st_size for path in COMMITTED.iterdir()) < 4_000_000
        for extract in CONTRACTS:
            assert_frame_equal(pl.read_parquet(COMMITTED / f"{extract}.parquet"), small.tables[extract], abs_tol=1e-3)
        assert_frame_equal(pl.read_csv(COMMITTED / "faults.csv"), small.faults)

    def test_nothing_else_in_the_folder_is_overwritten(self, facts: reference.Reference, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("keep")
        with pytest.raises(SampladsError) as caught:
            demo.write(tmp_path, facts, scale="tiny", seed=1, as_of=AS_OF)
        assert caught.value.key == "demo_folder_not_empty"
        with pytest.raises(SampladsError) as unknown:
            demo.compose(facts, scale="huge", seed=1, as_of=AS_OF)
        for language in i18n.LANGUAGES:
            assert i18n.sentence(caught.value, language)
            assert "huge" in i18n.sentence(unknown.value, language)

    def test_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert __main__.main(["demo", "--out", str(tmp_path / "d"), "--scale", "tiny", "--seed", "5", "--as-of", "2026-06-15"]) == 0
        assert "2026-06-15" in capsys.readouterr().out
        assert pl.read_parquet(tmp_path / "d" / "capacity.parquet")["as_of"].max() == dt.date(2026, 6, 15)


class TestOtherCountries:
    @pytest.mark.parametrize(
        "files",
        [
            {"municipalities.csv": "code,name\n001,Alachua\n003,Baker\n005,Bay\n"},
            {
                "municipalities.csv": "code,name,region,population,lat,lon\n1,Alachua,North,280000,30,-82\n003,Baker,North,28000,30,-82\n",
                "target_groups.csv": "code,parent_code,en\nG,,All\nG1,G,One\nG2,G,Two\n",
                "offer_types.csv": "code,en,residential\nR,Home,1\nD,Day centre,0\n",
            },
        ],
    )
    def test_any_reference_folder_gives_a_valid_demo(self, tmp_path: Path, files: dict[str, str]) -> None:
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        made = demo.compose(reference.read(tmp_path), scale="small", seed=1, as_of=AS_OF)
        for extract, contract in CONTRACTS.items():
            _, failure = contract.filter(made.tables[extract])
            planted = made.faults.filter((pl.col("extract") == extract) & (pl.col("outcome") == "set_aside"))
            assert len(failure) <= 2 * planted.height, extract
        assert set(real_units(made)["municipality"]) <= {"1", "001", "003", "005"}
        assert newest(made)["accepting"].sum() > 0
