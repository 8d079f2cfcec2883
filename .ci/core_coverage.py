"""Line coverage of the compiled core after a run of the coverage build: a table by file, with the lines not run.

    python .ci/core_coverage.py PERCENT          from the root of a clone built with FASTMLP_COVERAGE=1

gcov counts lines of the C files that Cython writes, and of the headers. In a C file, a comment names the .pyx or .pxd
line that the next statements come from, up to the next comment or the end of the function. Exits with status 1 if less
than PERCENT of all lines were run.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

_ORIGIN = re.compile(r'\s*/\* "(cnn_core/[\w/]+\.p[yx][xd])":(\d+)$')
_END = re.compile(r"}|\s*/\* function exit code \*/")
CORE = Path("cnn_core")


def origins(c_file: Path) -> dict[int, tuple[str, int]]:
    """The Cython file and line that each line of a C file comes from, if any."""
    found, origin, in_comment = {}, None, False
    for number, line in enumerate(c_file.read_text(encoding="utf-8").splitlines(), 1):
        match = _ORIGIN.match(line)
        if match:
            origin, in_comment = (match[1], int(match[2])), True
        elif in_comment:
            in_comment = not line.startswith("*/")
        elif _END.match(line):
            origin = None
        elif origin:
            found[number] = origin
    return found


def executed() -> dict[str, Counter[int]]:
    """How often each line with code was run, by file."""
    lines: dict[str, Counter[int]] = {}
    data = sorted(Path("build").rglob("*.gcda"))
    if not data:
        raise SystemExit("no .gcda files in build: build with FASTMLP_COVERAGE=1 and run the tests first")
    output = subprocess.run(
        ["gcov", "--json-format", "--stdout", *map(str, data)], capture_output=True, text=True, check=True
    ).stdout
    for report in map(json.loads, output.splitlines()):
        for file in report["files"]:
            path = Path(file["file"])
            if CORE.name not in path.parts:
                continue
            path = Path(*path.parts[path.parts.index(CORE.name) :])
            source = origins(path) if path.suffix == ".c" else None
            for line in file["lines"]:
                number = line["line_number"]
                if source is None:
                    lines.setdefault(str(path), Counter())[number] += line["count"]
                elif number in source:
                    name, number = source[number]
                    lines.setdefault(name, Counter())[number] += line["count"]
    return lines


def main(least: float) -> int:
    total = run = 0
    print(f"{'file':<32} lines  missed  cover  lines not run")
    for name, counts in sorted(executed().items()):
        missed = sorted(number for number, count in counts.items() if count == 0)
        total += len(counts)
        run += len(counts) - len(missed)
        share = 100 * (1 - len(missed) / len(counts))
        print(f"{name:<32} {len(counts):5}  {len(missed):6}  {share:4.0f}%  {', '.join(map(str, missed))}")
    share = 100 * run / total
    print(f"{'total':<32} {total:5}  {total - run:6}  {share:4.1f}%")
    if share < least:
        print(f"less than {least:g} % of the core's lines were run", file=sys.stderr)
    return int(share < least)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
