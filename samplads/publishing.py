"""From a delivery on disk to the warehouse: read (or map by a profile), check, archive, build, switch.

The steps are their own modules; here they only meet.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from samplads import disk, extracts, policy, profiles, queries, settings, warehouse
from samplads.errors import SampladsError
from samplads.reference import Reference
from samplads.reference import read as read_reference
from samplads.standards import hsds
from samplads.workbench import analyst_copy
from samplads.workbench.analyst_copy import Disclosure

DAY_IN_NAME = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)")

HSDS = "hsds"
"""The name of the profile that is a standard of its own: an Open Referral data package."""

DAYS = (("capacity", "as_of"), ("capacity", "confirmed_at"), ("need", "registered_on"), ("night_incident", "night_of"))
"""The columns that tell which day a delivery speaks of."""


@dataclass(frozen=True)
class Published:
    """What a publish did: the version in force, whether it is new, and what was found in each delivery."""

    version: warehouse.Version
    changed: bool
    deliveries: tuple[warehouse.Archived, ...]


@contextmanager
def _alone(read: extracts.Delivery, delivery: Path) -> Iterator[Path]:
    """A delivery's plain files in a folder that holds nothing else; a single file is laid in one of its own, away from its neighbours."""
    if delivery.is_dir() or read.folder.resolve() != delivery.parent.resolve():
        yield read.folder
        return
    with disk.Aside() as aside:
        shutil.copy(delivery, aside)
        yield aside


@contextmanager
def _plain(read: extracts.Delivery, source: Path) -> Iterator[Path]:
    """A delivery's files as a database can read them: in UTF-8, under names that are text, no link among them."""
    files = sorted(path for path in source.rglob("*") if path.is_symlink() or not path.is_dir())
    names = {file: file.relative_to(source).as_posix() for file in files}
    if not read.converted and not any(map(extracts.is_link, files)) and all(extracts.clean_name(str(file)) == str(file) for file in files):
        yield source
        return
    with disk.Aside() as aside:
        for file, name in names.items():
            if extracts.is_link(file):
                continue
            clean = extracts.clean_name(name)
            target = aside / clean
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(read.converted.get(clean, file), target)
        yield aside


def _of_files(read: extracts.Delivery) -> pl.DataFrame:
    """What was found in a delivery's files as they were read, before a profile made anything of them."""
    found = [*read.findings, *(finding for table in read.tables for finding in table.findings)]
    return extracts.findings_frame(dataclasses.replace(finding, extract=None) for finding in found)


def _digest(folder: Path, profile: str | None, values: Mapping[str, str], reference: Reference) -> str:
    """What a delivery is, whatever it is called: its files' bytes, how they were mapped, and the codes they were held against."""
    digest = hashlib.sha256(f"{profile or ''}\n{sorted(values.items())}\n{reference.digest}\n".encode())
    files = sorted(path for path in folder.rglob("*") if not extracts.is_link(path))
    if profile is not None and profile != HSDS:
        files += sorted(profiles.folder(profile).glob("*.sql"))
    for file in files:
        digest.update(os.fsencode(file.name) + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:20]


def _outcome(files: str, as_of: dt.date, *told: pl.DataFrame) -> str:
    """What a delivery came to: its files, the day it speaks of, and what was found in it.

    What is accepted depends on more than the files, for a delivery may refer to units that came before it: what came to something else is
    another delivery, and its version another version.
    """
    digest = hashlib.sha256(f"{files}\n{as_of}\n".encode())
    for frame in told:
        digest.update(frame.drop("delivery", strict=False).write_ndjson().encode())
    return digest.hexdigest()[:20]


def _known(folder: Path | None, *, synthetic: bool, beside: pl.DataFrame | None) -> dict[str, pl.DataFrame]:
    """The keys of what is in force already and of what is published `beside` a delivery, so that it may refer to a unit that another told.

    Demonstration and real data never refer to each other: the first real delivery sets the demonstration aside.
    """
    told = [] if beside is None else [beside]
    with contextlib.suppress(SampladsError):
        file = warehouse.current(folder).path
        if bool(queries.run("warehouse_meta", file).item(0, "synthetic")) == synthetic:
            told.append(queries.run("unit_ids", file).select("unit_id"))
    return {"unit": pl.concat(told, how="vertical").unique(maintain_order=True)} if told else {}


def _day(told: object, checked: extracts.Checked, delivery: Path, source: Path, *, synthetic: bool) -> dt.date:
    """The day a delivery speaks of: what its manifest says, else its newest count, else a day in its name, else its newest file.

    Rows that are dated far ahead were set aside; a day in a name or of a file counts only where it does not lie ahead either. `source`
    holds the files of a folder or archive. Raises SampladsError `delivery_day_ahead` where the manifest's day lies far ahead: it would be
    the last word for years. A demonstration speaks of whichever day it was made for.
    """
    latest = extracts.today() + dt.timedelta(days=extracts.MOST_DAYS_AHEAD)
    if told is not None:
        day = told if isinstance(told, dt.date) else dt.date.fromisoformat(str(told))
        if day > latest and not synthetic:
            raise SampladsError("delivery_day_ahead", delivery=extracts.redacted(extracts.name_of(delivery)), day=day.isoformat())
        return day
    newest = [
        day
        for extract, column in DAYS
        if extract in checked.frames
        and isinstance(day := checked.frames.scan(extract).select(pl.col(column).max()).collect().item(), dt.date)
    ]
    if newest:
        return max(newest)
    if named := DAY_IN_NAME.search(extracts.name_of(delivery)):
        try:
            if (day := dt.date(*(int(part) for part in named.groups()))) <= latest:
                return day
        except ValueError:
            pass
    # What was unpacked or copied aside is of today, whenever it was written.
    files = [path for path in source.rglob("*") if path.is_file()] if delivery.is_dir() else [delivery]
    written = (dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date() for path in files)
    return max((day for day in written if day <= latest), default=extracts.today())


def _mapped(
    source: Path, name: str, profile: str, values: Mapping[str, str], facts: Reference, root: Path
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Somebody else's export as our frames, and what refuses or flags its files before."""
    if profile == HSDS:
        told = hsds.rules(root)
        package = hsds.read(source, told)
        faults = [
            extracts.Finding(
                name,
                fault.file,
                fault.rule,
                extracts.RULES[fault.rule],
                row=fault.row,
                column=fault.column,
                value=fault.value,
                values={"headers": fault.column, "wanted": fault.column},
            )
            for fault in hsds.faults(package, told)
        ]
        return hsds.to_extracts(package, municipality=values.get("municipality")), extracts.findings_frame(faults)
    return profiles.run(profile, source, facts, values), extracts.findings_frame([])


def check(
    delivery: Path,
    *,
    profile: str | None = None,
    values: Mapping[str, str] | None = None,
    reference: Path | None = None,
    folder: Path | None = None,
    beside: pl.DataFrame | None = None,
) -> warehouse.Archived:
    """Read and check one delivery without publishing it; it may refer to units (unit_id) that are published `beside` it.

    An Open Referral data package is known by its descriptor. Raises SampladsError for what cannot be read at all; everything else is a
    finding in the result.
    """
    root = reference or settings.read().reference
    facts = read_reference(root)
    given = values or {}
    if not delivery.exists():
        raise SampladsError("delivery_missing", delivery=extracts.redacted(str(delivery)))
    read = extracts.read_delivery(delivery)
    name = extracts.redacted(read.name)
    with disk.told_when_full(), _alone(read, delivery) as source:
        if not read.findings and not any(source.iterdir()):
            raise SampladsError("delivery_empty", delivery=name)
        if profile is None and hsds.is_package(source):
            profile = HSDS
        synthetic = bool(read.manifest.get("synthetic", False)) or (profile == HSDS and hsds.is_synthetic(source))
        known = _known(folder, synthetic=synthetic, beside=beside)
        if profile is None:
            checked = extracts.check(read, facts.codes(), known)
            findings, manifest = checked.findings, read.manifest
        else:
            refused = extracts.screen(read)
            refused = refused.filter(refused["rule"].str.starts_with("personal"))
            if refused.height:
                raise SampladsError("delivery_refused", delivery=name, place=_place(refused), rule=refused["rule"][0])
            with _plain(read, source) as plain:
                frames, faults = _mapped(plain, name, profile, given, facts, root)
            faults = pl.concat([_of_files(read), faults])
            checked = extracts.check_frames(frames, facts.codes(), known, delivery=name)
            faults = faults.with_columns(pl.lit(checked.municipality, dtype=pl.String).alias("municipality"))
            findings, manifest = pl.concat([faults, checked.findings]), {}
        as_of = _day(manifest.get("as_of"), checked, delivery, source, synthetic=synthetic)
        files = _digest(source, profile, given, facts)
        return warehouse.Archived(
            digest=_outcome(files, as_of, findings, checked.by_municipality, checked.set_aside),
            files=files,
            name=name,
            as_of=as_of,
            synthetic=synthetic,
            sender=None if manifest.get("sender") is None else str(manifest["sender"]),
            frames={extract: checked.frames.scan(extract) for extract in checked.frames},
            findings=findings,
            counts=checked.by_municipality,
            set_aside=checked.set_aside,
            source=checked,
        )


def _place(findings: pl.DataFrame) -> str:
    """Where the first finding stands: file, row, column; never the value."""
    file, row, column = findings.select("file", "row", "column").row(0)
    return ", ".join(str(part) for part in (file, row, column) if part is not None)


def publish(
    deliveries: Sequence[Path],
    *,
    profile: str | None = None,
    values: Mapping[str, str] | None = None,
    reference: Path | None = None,
    folder: Path | None = None,
) -> Published:
    """Check deliveries and publish them together.

    Raises SampladsError where a delivery cannot be read, holds nothing that can be accepted, or another publish is under way.
    """
    checked = tuple(check(delivery, profile=profile, values=values, reference=reference, folder=folder) for delivery in deliveries)
    if len(checked) > 1:
        # Published together, they may refer to each other's units whatever their order.
        told = [one.frames["unit"].select("unit_id") for one in checked if "unit" in one.frames]
        beside = pl.concat(told).unique(maintain_order=True).collect() if told else None
        checked = tuple(
            check(delivery, profile=profile, values=values, reference=reference, folder=folder, beside=beside)
            if (one.findings["rule"] == "unknown_reference").any()
            else one
            for delivery, one in zip(deliveries, checked, strict=True)
        )
    for archived in checked:
        if archived.counts["accepted"].sum() == 0:
            raise SampladsError("nothing_accepted", delivery=archived.name, findings=archived.findings.height)
    facts = read_reference(reference or settings.read().reference)
    # What may be disclosed is a matter of the day of publishing, not of the day the data speak of.
    limits = Disclosure.from_values(policy.load("disclosure", dt.datetime.now(dt.UTC).date()).values)
    version, changed = warehouse.publish(checked, facts, folder, beside=lambda made, copy: analyst_copy.build(made, copy, limits))
    return Published(version, changed, checked)
