"""
Measure Holdfast against the tools one would use instead.

    python3 -m bench                        all works, written to docs/performance.md
    python3 -m bench --only restore         those whose name holds the word, shown only
    python3 -m bench --data messages-200    those on one database, shown only
    python3 -m bench --only space           what backups take in a store in pages, shown only
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from holdfast import bootstrap  # noqa: E402 - only found once its folder is on the path


def main() -> int:
    """Measure what the arguments ask for; 1 when a bar was missed."""
    packages = bootstrap.packages_or_exit(bootstrap.RUNTIME_LOCK)
    sys.path.insert(0, str(packages))
    os.environ["PYTHONPATH"] = str(packages)
    from bench.measure import Measured, Run, measure, place, run
    from bench.page import as_json, page
    from bench.space import CHANGES, Space, measure_space
    from bench.works import GROWING_DATA, GROWING_WORKS, WORKS

    arguments = _parser().parse_args()
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    spaces: list[Space] = []
    if arguments.only == "space":
        spaces += [measure_space(change, folder) for change in CHANGES]
        print("\n".join(each.line() for each in spaces))
        return 0 if all(each.holds for each in spaces) else 1
    measured: list[Measured] = []
    growth: dict[str, dict[str, Run]] = {}

    def write() -> None:
        """Put what is known so far on the page, so that a run that is cut short is not lost."""
        if not (arguments.only or arguments.data):
            text = page(measured, growth, spaces, arguments.rounds)
            (ROOT / "docs" / "performance.md").write_text(text, encoding="utf-8")
            (folder / "performance.json").write_text(as_json(measured, growth), encoding="utf-8")

    for work in WORKS:
        if arguments.only in work.name and arguments.data in ("", work.data):
            measured.append(measure(work, folder, arguments.rounds))
            _say(f"{work.name}, {work.data}, {work.against}: {measured[-1].ratio:.2f}")
            write()
    if not arguments.only or arguments.only == "growth":
        once = "{ours}/export.py --db {db} --format jsonl --output {made}/backup.jsonl"
        for data in GROWING_DATA:
            with place(data, folder, once=once) as words:
                for name, command in GROWING_WORKS.items():
                    done = run(command, words, "cp {other} {out}/live.db")
                    growth.setdefault(name, {})[data] = done
                    _say(f"{name}, {data}: {done.peak_mb:.0f} MB, {done.seconds:.2f} s")
                    write()
    if not arguments.only and not arguments.data:
        for change in CHANGES:
            spaces.append(measure_space(change, folder))
            _say(spaces[-1].line())
            write()
    else:
        print(page(measured, growth, spaces, arguments.rounds))
    return 0 if all(each.holds for each in measured) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD", help="or `growth`, `space`")
    parser.add_argument("--data", default="", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder",
        default=str(Path(tempfile.gettempdir()) / "holdfast-bench"),
        help="for the databases: about 6 GB",
    )
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
