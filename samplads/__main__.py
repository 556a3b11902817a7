"""The `samplads` command: publish deliveries, ask queries, match, serve.

A `SampladsError` is printed as its sentence and ends with exit code 2; anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from samplads import commands
from samplads.errors import SampladsError

LANGUAGES = ("da", "en")
"""The languages of `samplads.i18n`, said again here: reading the catalogue takes longer than most commands."""


def parser() -> argparse.ArgumentParser:
    """The whole command line: every module of `samplads.commands` adds its own."""
    top = argparse.ArgumentParser(prog="samplads", description="Shared-capacity matching for the specialised social area.")
    top.add_argument(
        "--language",
        choices=LANGUAGES,
        default=os.environ.get("SAMPLADS_LANGUAGE") or LANGUAGES[0],
        help="language of sentences and headers (default: da)",
    )
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"samplads.commands.{module.name}").register(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 done with something to mend, 2 could not be done)."""
    given = parser().parse_args(arguments)
    try:
        # A default is not held against the choices: it comes from the environment.
        if given.language not in LANGUAGES:
            unknown, given.language = given.language, LANGUAGES[0]
            raise SampladsError("language_unknown", language=unknown, names=", ".join(LANGUAGES))
        return int(given.run(given))
    except SampladsError as error:
        from samplads import i18n

        print(i18n.sentence(error, given.language), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe left early (`| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
