"""Long fuzzing: every target in turn, each in its own process, so that a crash is seen and counted.

    python tests/fuzz/long.py --minutes 60
    python tests/fuzz/long.py --executions 10000 --targets model,idx,csv,npz
    python tests/fuzz/long.py --minutes 60 --engine atheris      (guided by coverage; pip install atheris)

Failing inputs and their messages are written to the folder ``--found``; move an input to ``corpus`` once it is fixed.
The exit code is 1 if anything was found.
"""

import argparse
import faulthandler
import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

ROUND = 60.0
"""Seconds for a target before the next one."""
STUCK = 120.0
"""Seconds for one input before the process is ended with a traceback."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="in all")
    parser.add_argument("--executions", type=int, help="of each target, in the place of a time")
    parser.add_argument("--targets", help="names with commas between; default: all")
    parser.add_argument("--engine", choices=("mutation", "atheris"), default="mutation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=ROUND, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.found.mkdir(parents=True, exist_ok=True)
    if options.child:
        return (with_atheris if options.engine == "atheris" else mutate)(options)
    return in_turn(options)


def in_turn(options):
    """Run rounds over all targets until the time is up; print a table of the results."""
    from fuzz.targets import TARGETS

    names = options.targets.split(",") if options.targets else list(TARGETS)
    totals = {name: {"executions": 0, "seconds": 0.0, "found": 0, "peak": 0.0, "growth": 0.0} for name in names}
    end, turn = time.monotonic() + 60 * options.minutes, options.seed
    while True:
        for name in names:
            left = end - time.monotonic()
            if left <= 1 and not options.executions:
                break
            report = run_child(options, name, min(ROUND, left, 60 * options.minutes / len(names)), turn)
            for key, value in report.items():
                totals[name][key] = max(totals[name][key], value) if key in ("peak", "growth") else (
                    totals[name][key] + value
                )  # fmt: skip
            print(name, totals[name], flush=True)
        turn += 1
        if options.executions or end - time.monotonic() <= 1:
            break
    print(f"\n{'target':<12}{'executions':>12}{'seconds':>9}{'found':>7}{'peak MB':>9}{'growth MB':>11}")
    for name, total in totals.items():
        print(
            f"{name:<12}{total['executions']:>12}{total['seconds']:>9.0f}{total['found']:>7}{total['peak']:>9.1f}"
            f"{total['growth']:>11.1f}"
        )
    return int(any(total["found"] for total in totals.values()))


def run_child(options, name, seconds, turn):
    """Run one target for some seconds in its own process."""
    command = [
        sys.executable, __file__, "--child", name, "--seconds", str(seconds), "--seed", str(turn), "--found",
        str(options.found), "--engine", options.engine,
    ]  # fmt: skip
    if options.executions:
        command += ["--executions", str(options.executions)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    lines = [line for line in result.stdout.splitlines() if line.startswith('{"executions"')]
    report = json.loads(lines[-1]) if lines else {"executions": 0, "seconds": seconds, "found": 1}
    if result.returncode or not lines or "runtime error" in result.stderr or "AddressSanitizer" in result.stderr:
        report["found"] = max(report["found"], 1)
        last = options.found / f"last-{name}"
        digest = hashlib.sha256(last.read_bytes() if last.exists() else b"").hexdigest()[:12]
        (options.found / f"{name}-crash-{digest}.txt").write_text(
            f"exit code {result.returncode}\n{result.stdout[-4000:]}\n{result.stderr[-20000:]}"
        )
        if last.exists():
            last.rename(options.found / f"{name}-crash-{digest}")
        print(f"{name}: exit code {result.returncode}, see {options.found}/{name}-crash-{digest}.txt", flush=True)
    return report


def mutate(options):
    """Change inputs of the corpus and earlier inputs again and again."""
    from fuzz.targets import TARGETS
    from fuzz.watch import FoundError, Watch

    target = TARGETS[options.child]
    choice = random.Random(f"{options.child} {options.seed}")
    seeds, recent = target.seeds(), []
    for data in seeds:  # imports and caches count as baseline
        record(options, target, data, lambda data: target.run(data), FoundError)
    watch, found = Watch(), 0
    before = watch.memory()
    start, executions = time.monotonic(), 0
    while executions < options.executions if options.executions else time.monotonic() - start < options.seconds:
        data = choice.choice(recent if recent and choice.randrange(3) == 0 else seeds)
        data = target.change(data, choice)
        found += record(options, target, data, lambda data: watch.run(target, data), FoundError)
        executions += 1
        if len(data) < 100_000:
            recent = [*recent[-30:], data]
        if executions == 500:
            before = watch.memory()
    growth = watch.memory() - before
    seconds = time.monotonic() - start
    report = {"executions": executions, "seconds": seconds, "found": found, "peak": watch.peak / 2**20}
    print(json.dumps(report | {"growth": growth / 2**20}))
    return 0


def record(options, target, data, run, error_kind):
    """Run one input; return 1 if it fails. Inputs that fail at the same line are written once."""
    last = options.found / f"last-{target.name}"
    last.write_bytes(data)
    faulthandler.dump_traceback_later(STUCK, exit=True)
    try:
        run(data)
    except Exception as error:
        origin = error.__cause__ or error
        place = origin.__traceback__
        while place.tb_next is not None:
            place = place.tb_next
        text = f"{error}\n{place.tb_frame.f_code.co_filename}:{place.tb_lineno}\n"
        where = f"{type(origin).__name__} {place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
        digest = hashlib.sha256(where.encode()).hexdigest()[:12]
        (options.found / f"{target.name}-{digest}").write_bytes(data)
        (options.found / f"{target.name}-{digest}.txt").write_text(text, errors="backslashreplace")
        return 1
    finally:
        faulthandler.cancel_dump_traceback_later()
        last.unlink(missing_ok=True)
    return 0


def with_atheris(options):
    """libFuzzer looks for inputs that reach new code; half of the changes are made by the target's own mutation."""
    import atheris

    with atheris.instrument_imports(include=["fastmlp"]):
        from fuzz.targets import TARGETS
        from fuzz.watch import FoundError, Watch

        import fastmlp.cli
        import fastmlp.estimators  # noqa: F401

    target = TARGETS[options.child]
    corpus = options.found / f"corpus-{target.name}"
    corpus.mkdir(exist_ok=True)
    for i, data in enumerate(target.seeds()):
        (corpus / f"seed-{i}").write_bytes(data)
        target.run(data)
    watch, count, start = Watch(), {"executions": 0, "found": 0}, time.monotonic()
    before = watch.memory()

    def one(data):
        count["executions"] += 1
        count["found"] += record(options, target, data, lambda data: watch.run(target, data), FoundError)
        if count["executions"] % 50 == 0:
            growth = (watch.memory() - before) / 2**20
            report = count | {"seconds": time.monotonic() - start, "peak": watch.peak / 2**20, "growth": growth}
            print(json.dumps(report), flush=True)

    def change(data, most, seed):
        choice = random.Random(seed)
        return target.change(data, choice)[:most] if choice.randrange(2) else atheris.Mutate(data, most)

    arguments = [f"-max_total_time={int(options.seconds) + 1}", f"-artifact_prefix={options.found}/", "-max_len=20000"]
    if options.executions:
        arguments = [f"-runs={options.executions}", *arguments[1:]]
    atheris.Setup([sys.argv[0], *arguments, f"-seed={options.seed + 1}", str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
