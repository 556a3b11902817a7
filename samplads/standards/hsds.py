"""Open Referral HSDS 3.1 (tabular data package), in and out.

How ours and theirs meet:

    operator        organization, with CVR and P-number as organization_identifier
    offer           program
    unit            service, with its place as location and its rate as cost_option
    last count      service_capacity: available = accepting, maximum, and six columns of ours (occupied, reserved, accepting, funded,
                    accepting_from, confirmed_by), measured in the unit "Place"
    approvals       attribute of the service with a term of the target-group taxonomy; link_type tells the rank
    the rest        attribute of the service with a term of a taxonomy of our own, one term a column

HSDS wants UUIDs; ours are made of our ids (UUID version 5), and our ids travel as attributes, so that what is written reads back equal.

The published table descriptions of 3.1 declare a primary key on tables whose fields they leave out, which general validators refuse to
load; so the rules lie in `hsds.yaml` of the reference folder, and the check is ours.
"""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from samplads import yamlfile
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError

NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""RFC 4122's namespace for URLs; our names are of the form samplads:<table>:<id>."""

OURS = "samplads"
"""The taxonomy whose terms are columns of ours that HSDS has no place for."""

CAPACITY_ATTRIBUTES = ("as_of", "status", "confirmed_at")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NATIVE = ("unit_id", "name", "lat", "lon", "age_from", "age_to", "daily_rate_ore", "price_year")
"""Columns of a unit with a place of their own in HSDS; every other column is an attribute."""


@dataclass(frozen=True)
class Fault:
    """What a package says that cannot be so: table, file, row as a person counts it, column, rule, and blanks for its sentence."""

    table: str
    file: str
    row: int | None
    column: str | None
    rule: str
    value: str | None


@dataclass(frozen=True)
class Package:
    """A data package as it was delivered: every table as text.

    `doubled` are headers that stand twice, by table; such a table is not read, since nobody knows which of the two counts.
    """

    tables: Mapping[str, pl.DataFrame]
    files: Mapping[str, str]
    doubled: Mapping[str, tuple[str, ...]]


def rules(reference: Path) -> dict[str, Any]:
    """What HSDS asks of each table, from the reference folder.

    Raises SampladsError `hsds_rules_missing`.
    """
    path = reference / "hsds.yaml"
    if not path.is_file():
        raise SampladsError("hsds_rules_missing", file=path.name)
    told: dict[str, Any] = yamlfile.load(path.read_text(encoding="utf-8"))
    return told


def is_synthetic(folder: Path) -> bool:
    """Whether a data package's descriptor says that all in it is made up."""
    try:
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(descriptor, dict) and descriptor.get("synthetic") not in (None, False)


def is_package(folder: Path) -> bool:
    """Whether a delivery is a data package of services with capacities."""
    return (folder / "datapackage.json").is_file() and (folder / "services.csv").is_file()


def read(folder: Path, told: Mapping[str, Any]) -> Package:
    """A package's tables, every value as text, empty as null.

    Raises SampladsError `hsds_unreadable` with the file.
    """
    tables: dict[str, pl.DataFrame] = {}
    files: dict[str, str] = {}
    doubled: dict[str, tuple[str, ...]] = {}
    for table, about in told["tables"].items():
        path = folder / about["file"]
        if path.is_file():
            files[table] = path.name
            try:
                headers = Counter(_headers(path))
                if twice := tuple(name for name, count in headers.items() if name and count > 1):
                    doubled[table] = twice
                    continue
                frame = pl.read_csv(path, infer_schema=False, encoding="utf8")
            except (pl.exceptions.PolarsError, UnicodeDecodeError, csv.Error) as error:
                raise SampladsError("hsds_unreadable", file=path.name) from error
            tables[table] = frame.rename({name: name.strip() for name in frame.columns if name.strip()})
    return Package(tables, files, doubled)


def _headers(path: Path) -> list[str]:
    """The headers of a file, without the blanks around them that a person does not see."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [name.strip() for name in next(csv.reader(stream), [])]


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text.strip()) is not None


def faults(package: Package, told: Mapping[str, Any]) -> list[Fault]:
    """Everything in a package that breaks the standard or cannot be true.

    Required columns and values, UUIDs, listed choices, numbers, doubled ids, dangling keys; available above maximum; capacity counted
    in something that is not a place. A table whose headers stand twice is one fault, and what refers to it none.
    """
    found = [
        Fault(table, package.files[table], 1, column, "duplicate_header", None)
        for table, columns in package.doubled.items()
        for column in columns
    ]
    for table, frame in package.tables.items():
        about = told["tables"][table]
        file = package.files[table]

        def bad(
            column: str, rule: str, is_bad: Callable[[str | None], bool], frame: pl.DataFrame = frame, table: str = table, file: str = file
        ) -> None:
            if column in frame.columns:
                found.extend(
                    Fault(table, file, number, column, rule, value)
                    for number, value in enumerate(frame[column].to_list(), start=2)
                    if is_bad(value)
                )

        for column in about.get("required", ()):
            if column not in frame.columns:
                found.append(Fault(table, file, 1, column, "hsds_column_missing", None))
            bad(column, "hsds_value_missing", lambda value: value is None)
        for column in about.get("uuid", ()):
            bad(column, "hsds_uuid", lambda value: value is not None and not _is_uuid(value))
        for column, allowed in about.get("choices", {}).items():
            bad(column, "hsds_choice", lambda value, allowed=allowed: value is not None and value not in allowed)  # type: ignore[misc]
        for column in about.get("numbers", ()):
            bad(column, "hsds_number", lambda value: value is not None and not _is_number(value))
        if "id" in frame.columns:
            doubled = set(frame["id"].drop_nulls().filter(frame["id"].drop_nulls().is_duplicated()).to_list())
            bad("id", "hsds_id_doubled", lambda value, doubled=doubled: value in doubled)  # type: ignore[misc]
        for column, target in about.get("keys", {}).items():
            if target in package.doubled:
                continue
            there = package.tables.get(target)
            ids = set() if there is None or "id" not in there.columns else set(there["id"].to_list())
            bad(column, "hsds_dangling_key", lambda value, ids=ids: value is not None and value not in ids)  # type: ignore[misc]
    found.extend(_capacity_faults(package, told))
    found.extend(_point_faults(package))
    return found


def _capacity_faults(package: Package, told: Mapping[str, Any]) -> Iterator[Fault]:
    """What the standard allows and the field does not."""
    capacity = package.tables.get("service_capacity")
    if capacity is not None and {"available", "maximum"} <= set(capacity.columns):
        for number, row in enumerate(capacity.iter_rows(named=True), start=2):
            available, maximum = row["available"], row["maximum"]
            told_both = available is not None and maximum is not None and _is_number(available) and _is_number(maximum)
            if told_both and float(available) > float(maximum):
                file = package.files["service_capacity"]
                yield Fault("service_capacity", file, number, "available", "hsds_available_above_maximum", f"{available} > {maximum}")
    words = set(told["place_words"])
    measured = package.tables.get("unit")
    if measured is not None and "name" in measured.columns:
        for number, name in enumerate(measured["name"].to_list(), start=2):
            if name is not None and name.strip().lower() not in words:
                yield Fault("unit", package.files["unit"], number, "name", "hsds_not_a_place", name)


def _point_faults(package: Package) -> Iterator[Fault]:
    """A point that is not on the globe: a unit keeps its place in the municipality, without a point of its own."""
    location = package.tables.get("location")
    if location is None:
        return
    for column, most in (("latitude", 90), ("longitude", 180)):
        if column in location.columns:
            for number, value in enumerate(location[column].to_list(), start=2):
                if value is not None and _is_number(value) and abs(float(value)) > most:
                    yield Fault("location", package.files["location"], number, column, "hsds_point_impossible", value)


def _column(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String).alias(name)


def _table(package: Package, name: str, *columns: str) -> pl.DataFrame:
    """A table with at least these columns, null where the package has none."""
    frame = package.tables.get(name)
    if frame is None:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return frame.with_columns(_column(frame, column) for column in columns if column not in frame.columns)


def _attributes(package: Package, entity: str) -> pl.DataFrame:
    """Attributes of an entity with the code and taxonomy of their term: link_id, code, taxonomy, link_type, value."""
    columns = ("link_id", "taxonomy_term_id", "link_type", "link_entity", "value")
    attribute = _table(package, "attribute", *columns).select(columns)
    term = _table(package, "taxonomy_term", "id", "code", "taxonomy").select(pl.col("id").alias("taxonomy_term_id"), "code", "taxonomy")
    return attribute.filter(pl.col("link_entity") == entity).join(term, on="taxonomy_term_id", how="inner", maintain_order="left_right")


def _told(attributes: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Attributes of our own taxonomy as columns by link_id; of two that say the same column of one entity, the first in the file counts."""
    own = attributes.filter((pl.col("taxonomy") == OURS) & pl.col("code").is_in(list(columns))).select("link_id", "code", "value")
    if own.is_empty():
        return pl.DataFrame(schema={"link_id": pl.String})
    return own.unique(["link_id", "code"], keep="first", maintain_order=True).pivot("code", index="link_id", values="value")


def to_extracts(package: Package, *, municipality: str | None = None) -> dict[str, pl.DataFrame]:
    """A package as our extracts, values as text: unit, capacity, target_group_approval.

    `municipality` is given to every unit of a package that says nothing of ours. Columns _file and _row tell where a row stood.

    Raises SampladsError `hsds_no_package` where there is neither a table of services nor one of capacities.
    """
    if not {"service", "service_capacity"} & set(package.files):
        raise SampladsError("hsds_no_package")
    wanted = ("id", "organization_id", "program_id", "name", "minimum_age", "maximum_age")
    service = _table(package, "service", *wanted)
    service = service.select(*wanted, *(name for name in CONTRACTS["unit"].columns() if name in service.columns and name not in wanted))
    service = service.with_row_index("_row", offset=2)
    attributes = _attributes(package, "service")
    # What the table of services says itself in a column of that name goes before.
    told = _told(attributes, [name for name in CONTRACTS["unit"].columns() if name not in service.columns])
    organization = _table(package, "organization", "id", "name").select(
        pl.col("id").alias("organization_id"), pl.col("name").alias("organization")
    )
    place = (
        _table(package, "service_at_location", "service_id", "location_id")
        .join(_table(package, "location", "id", "latitude", "longitude"), left_on="location_id", right_on="id", how="left")
        .unique("service_id", keep="first", maintain_order=True)
        .select(pl.col("service_id").alias("id"), "latitude", "longitude")
    )
    cost = (
        _table(package, "cost_option", "service_id", "amount", "currency", "valid_from", "amount_description")
        .filter((pl.col("currency").str.to_uppercase() == "DKK") & (pl.col("amount_description") == "day"))
        .unique("service_id", keep="last", maintain_order=True)
        .select(pl.col("service_id").alias("id"), "amount", "valid_from")
    )
    unit = (
        service.join(organization, on="organization_id", how="left")
        .join(place, on="id", how="left")
        .join(cost, on="id", how="left")
        .join(told, left_on="id", right_on="link_id", how="left")
    )
    on_the_globe = pl.all_horizontal(
        pl.col("latitude").cast(pl.Float64, strict=False).abs() <= 90, pl.col("longitude").cast(pl.Float64, strict=False).abs() <= 180
    ).fill_null(True)
    own = {name: _column(unit, name) for name in CONTRACTS["unit"].columns()}
    operator = pl.when(_column(unit, "unit_id").is_null()).then(pl.col("organization")).otherwise(own["operator"])
    columns = {
        **own,
        "unit_id": pl.coalesce(own["unit_id"], pl.col("id")),
        "offer_id": pl.coalesce(own["offer_id"], _column(unit, "program_id"), pl.col("organization_id")),
        "name": pl.col("name"),
        "operator": operator,
        "municipality": pl.coalesce(own["municipality"], pl.lit(municipality, dtype=pl.String)),
        "lat": pl.when(on_the_globe).then("latitude"),
        "lon": pl.when(on_the_globe).then("longitude"),
        "age_from": pl.col("minimum_age"),
        "age_to": pl.col("maximum_age"),
        # Øre from a decimal text, without a float on the way; what is no number is a fault, and the unit has no rate.
        "daily_rate_ore": (pl.col("amount").str.strip_chars().cast(pl.Decimal(18, 2), strict=False) * 100)
        .cast(pl.Int64, strict=False)
        .cast(pl.String),
        "price_year": pl.col("valid_from").str.slice(0, 4),
    }
    units = unit.select(
        "id", *(expression.alias(name) for name, expression in columns.items()), "_row", pl.lit("services.csv").alias("_file")
    )
    by_service = units.select(pl.col("id").alias("service_id"), "unit_id")
    approvals = (
        attributes.filter((pl.col("taxonomy") != OURS) & pl.col("link_type").is_in(["primary", "secondary", "excluded"]))
        .join(by_service, left_on="link_id", right_on="service_id", how="inner")
        .select("unit_id", pl.col("code").alias("target_group"), pl.col("link_type").alias("rank"))
    )
    return {"unit": units.drop("id"), "capacity": _capacity(package, by_service), "target_group_approval": approvals}


def _capacity(package: Package, by_service: pl.DataFrame) -> pl.DataFrame:
    """The package's capacities in our columns; what only HSDS tells (available, updated) stands in for what ours tell."""
    wanted = (
        "id",
        "service_id",
        "available",
        "maximum",
        "updated",
        "occupied",
        "reserved",
        "accepting",
        "funded",
        "accepting_from",
        "confirmed_by",
    )
    capacity = _table(package, "service_capacity", *wanted).select(wanted).with_row_index("_row", offset=2)
    told = _told(_attributes(package, "service_capacity"), CAPACITY_ATTRIBUTES)
    capacity = capacity.join(told, left_on="id", right_on="link_id", how="left", maintain_order="left")
    for name in CAPACITY_ATTRIBUTES:
        capacity = capacity.with_columns(_column(capacity, name))
    free = pl.coalesce("accepting", "available")
    # A package without the six columns tells no occupancy: what is not available is taken, as far as it can be.
    taken = (pl.col("maximum").cast(pl.Int64, strict=False) - free.cast(pl.Int64, strict=False)).clip(lower_bound=0).cast(pl.String)
    return (
        capacity.with_columns(
            accepting=free, occupied=pl.coalesce("occupied", taken), as_of=pl.coalesce("as_of", pl.col("updated").str.slice(0, 10))
        )
        .join(by_service, on="service_id", how="left")
        .with_columns(unit_id=pl.coalesce("unit_id", "service_id"))
        .select(*CONTRACTS["capacity"].columns(), "_row", pl.lit("service_capacity.csv").alias("_file"))
    )


def _uuid(table: str, name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"samplads:{table}:{name}"))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def export(
    units: pl.DataFrame,
    capacity: pl.DataFrame,
    approvals: pl.DataFrame,
    target_groups: pl.DataFrame,
    told: Mapping[str, Any],
    *,
    synthetic: bool = False,
) -> dict[str, bytes]:
    """Our frames as the files of a data package: name -> bytes. `units`, `capacity` and `approvals` as their contracts; one count a unit.

    What is `synthetic` says so in its descriptor, so that made-up data do not come back as real. Rows are sorted by our ids, so that the
    same warehouse gives the same bytes.
    """
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in told["tables"]}
    taxonomies = {"ffb": "Target groups of the reference", OURS: "Columns that HSDS has no place for"}
    for name, description in taxonomies.items():
        rows["taxonomy"].append({"id": _uuid("taxonomy", name), "name": name, "description": description, "version": told["version"]})

    def term(taxonomy: str, code: str, name: str, parent: str | None = None) -> None:
        rows["taxonomy_term"].append(
            {
                "id": _uuid(f"term:{taxonomy}", code),
                "code": code,
                "name": name,
                "description": name,
                "parent_id": None if parent is None else _uuid(f"term:{taxonomy}", parent),
                "taxonomy": taxonomy,
                "taxonomy_id": _uuid("taxonomy", taxonomy),
            }
        )

    known = set(target_groups["code"].to_list())
    for group in target_groups.sort("code").iter_rows(named=True):
        term("ffb", group["code"], group["da"], group["parent_code"] if group["parent_code"] in known else None)
    kept = [name for name in CONTRACTS["unit"].columns() if name not in NATIVE]
    for column in ("unit_id", *kept, *CAPACITY_ATTRIBUTES):
        term(OURS, column, column)
    rows["unit"].append({"id": _uuid("unit", "place"), "name": "Place", "scheme": OURS, "identifier": "place"})

    def attribute(entity: str, link: str, taxonomy: str, code: str, value: object, kind: str | None = None) -> None:
        rows["attribute"].append(
            {
                "id": _uuid("attribute", f"{link}:{taxonomy}:{code}"),
                "link_id": link,
                "taxonomy_term_id": _uuid(f"term:{taxonomy}", code),
                "link_type": kind,
                "link_entity": entity,
                "value": None if value is None else _text(value),
            }
        )

    organizations: set[str] = set()
    programs: set[str] = set()
    for unit in units.sort("unit_id").iter_rows(named=True):
        service = _uuid("service", unit["unit_id"])
        name = unit["operator"] or unit["offer_name"] or unit["name"]
        owner = f"{name}:{unit['cvr']}:{unit['p_number']}"
        organization = _uuid("organization", owner)
        if owner not in organizations:
            organizations.add(owner)
            rows["organization"].append({"id": organization, "name": name, "description": name})
            for scheme, column in (("DK-CVR", "cvr"), ("DK-P", "p_number")):
                if unit[column] is not None:
                    rows["organization_identifier"].append(
                        {
                            "id": _uuid("organization_identifier", f"{owner}:{scheme}"),
                            "organization_id": organization,
                            "identifier_scheme": scheme,
                            "identifier_type": "CVR" if column == "cvr" else "P-number",
                            "identifier": unit[column],
                        }
                    )
        program = _uuid("program", f"{owner}:{unit['offer_id']}")
        if program not in programs:
            programs.add(program)
            offer = unit["offer_name"] or unit["offer_id"]
            rows["program"].append({"id": program, "organization_id": organization, "name": offer, "description": offer})
        rows["service"].append(
            {
                "id": service,
                "organization_id": organization,
                "program_id": program,
                "name": unit["name"],
                "status": "active",
                "minimum_age": unit["age_from"],
                "maximum_age": unit["age_to"],
            }
        )
        location = _uuid("location", unit["unit_id"])
        rows["location"].append(
            {
                "id": location,
                "location_type": "physical",
                "organization_id": organization,
                "latitude": unit["lat"],
                "longitude": unit["lon"],
            }
        )
        rows["service_at_location"].append(
            {"id": _uuid("service_at_location", unit["unit_id"]), "service_id": service, "location_id": location}
        )
        if unit["daily_rate_ore"] is not None or unit["price_year"] is not None:
            ore = unit["daily_rate_ore"]
            rows["cost_option"].append(
                {
                    "id": _uuid("cost_option", unit["unit_id"]),
                    "service_id": service,
                    "valid_from": None if unit["price_year"] is None else f"{unit['price_year']}-01-01",
                    "currency": "DKK",
                    "amount": None if ore is None else f"{ore // 100}.{ore % 100:02d}",
                    "amount_description": "day",
                }
            )
        for column in ("unit_id", *kept):
            if unit[column] is not None:
                attribute("service", service, OURS, column, unit[column])
    for approval in approvals.sort("unit_id", "target_group").iter_rows(named=True):
        if approval["target_group"] in known:
            attribute("service", _uuid("service", approval["unit_id"]), "ffb", approval["target_group"], None, approval["rank"])
    for count in capacity.sort("unit_id", "as_of").iter_rows(named=True):
        identity = _uuid("service_capacity", f"{count['unit_id']}:{count['as_of']}")
        rows["service_capacity"].append(
            {
                "id": identity,
                "service_id": _uuid("service", count["unit_id"]),
                "unit_id": _uuid("unit", "place"),
                "available": count["accepting"],
                "maximum": count["maximum"],
                "updated": f"{count['confirmed_at'] or count['as_of']}T00:00:00Z",
                **{column: count[column] for column in told["tables"]["service_capacity"]["ours"]},
            }
        )
        for column in CAPACITY_ATTRIBUTES:
            if count[column] is not None:
                attribute("service_capacity", identity, OURS, column, count[column])
    return _files(rows, told, synthetic=synthetic)


def _files(rows: Mapping[str, list[dict[str, Any]]], told: Mapping[str, Any], *, synthetic: bool) -> dict[str, bytes]:
    """Tables as CSV files with a descriptor that names their keys."""
    files: dict[str, bytes] = {}
    resources = []
    for table, about in told["tables"].items():
        if not rows[table]:
            continue
        columns = list(dict.fromkeys(column for row in rows[table] for column in row))
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, columns, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows[table])
        files[about["file"]] = stream.getvalue().encode("utf-8")
        required = set(about.get("required", ()))
        resources.append(
            {
                "name": table,
                "path": about["file"],
                "profile": "tabular-data-resource",
                "schema": {
                    "primaryKey": "id",
                    "fields": [
                        {
                            "name": column,
                            "type": "number"
                            if column in about.get("numbers", ())
                            else "date"
                            if column in about.get("dates", ())
                            else "string",
                            "constraints": {"required": column in required},
                        }
                        for column in columns
                    ],
                    "foreignKeys": [
                        {"fields": column, "reference": {"resource": target, "fields": "id"}}
                        for column, target in about["keys"].items()
                        if column in columns
                    ],
                },
            }
        )
    descriptor = {"name": "samplads", "profile": "tabular-data-package", "version": told["version"], "resources": resources}
    if synthetic:
        descriptor["synthetic"] = True
    files["datapackage.json"] = json.dumps(descriptor, ensure_ascii=False, indent=1).encode("utf-8")
    return files


def write(files: Mapping[str, bytes], target: Path) -> None:
    """A package's files into a folder, or into one ZIP where the target's name ends so."""
    if target.suffix.lower() == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        return
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (target / name).write_bytes(content)
