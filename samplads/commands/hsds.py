"""`samplads export-hsds`: units with their last count of places as an Open Referral HSDS 3.1 data package."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samplads.errors import SampladsError


def register(subparsers: Any) -> None:
    """Add `export-hsds`."""
    command = subparsers.add_parser("export-hsds", help="write units and their last count of places as an Open Referral HSDS 3.1 package")
    command.add_argument("--out", type=Path, required=True, help="a folder, or a file that ends in .zip")
    command.add_argument("--reference", type=Path, help="folder of reference facts")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Write the package once it keeps the standard; say how much it holds."""
    from samplads import i18n

    counts = export(given.out, warehouse=given.warehouse, reference=given.reference)
    print(i18n.text("hsds.exported", given.language, file=given.out.name, **counts))
    return 0


def export(out: Path, *, warehouse: Path | None = None, reference: Path | None = None) -> dict[str, int]:
    """Write the package of the version in force to `out`; returns how many units, counts and approvals it holds.

    What was delivered is exported, not what people have written over it. The package is checked against the standard's rules before it
    takes its place, so that a reader never meets half of one or a wrong one.

    Raises SampladsError `hsds_out_taken`, `hsds_out_unwritable`, `hsds_export_faulty`.
    """
    import shutil
    import tempfile

    from samplads import queries, settings
    from samplads import warehouse as published
    from samplads.standards import hsds

    file = published.current(warehouse).path
    told = hsds.rules(reference or settings.read().reference)
    units, capacity, approvals = (queries.run(f"hsds_{name}", file) for name in ("units", "capacity", "approvals"))
    synthetic = bool(queries.run("warehouse_meta", file).item(0, "synthetic"))
    files = hsds.export(units, capacity, approvals, queries.run("target_groups", file), told, synthetic=synthetic)
    zipped = out.suffix.lower() == ".zip"
    if out.is_dir() and (zipped or any(path.name not in files for path in out.iterdir())):
        raise SampladsError("hsds_out_taken", out=out.name)
    if not zipped and out.is_file():
        raise SampladsError("hsds_out_taken", out=out.name)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".samplads-", dir=out.parent) as aside:
            folder = Path(aside) / "package"
            hsds.write(files, folder)
            _hold_to_the_standard(folder, told)
            if zipped:
                hsds.write(files, Path(aside) / "package.zip")
                (Path(aside) / "package.zip").replace(out)
            else:
                if out.is_dir():
                    shutil.rmtree(out)
                folder.replace(out)
    except OSError as error:
        raise SampladsError("hsds_out_unwritable", out=out.name) from error
    return {"units": units.height, "counts": capacity.height, "approvals": approvals.height}


def _hold_to_the_standard(folder: Path, told: Mapping[str, Any]) -> None:
    """Raise SampladsError `hsds_export_faulty` for the first thing in a written package that the standard does not allow."""
    from samplads.standards import hsds

    # That more is open than there is room for is a truth about the delivery, and the standard allows it.
    found = [fault for fault in hsds.faults(hsds.read(folder, told), told) if fault.rule != "hsds_available_above_maximum"]
    if found:
        first = found[0]
        raise SampladsError("hsds_export_faulty", count=len(found), file=first.file, row=first.row, column=first.column, rule=first.rule)
