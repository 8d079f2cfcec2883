"""The command line: any options, with good and damaged files; it ends with a known code and a one-line error."""

import contextlib
import os
import random
import tempfile
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from fuzz.mutations import change_csv, change_idx, change_model, change_npz
from fuzz.source import Source
from fuzz.watch import FoundError

import fastmlp as fm
from fastmlp.cli import main

ROWS = np.random.default_rng(3).integers(0, 20, (12, 9)).astype(np.uint8)
CSV = "a,b,colour,y\n" + "".join(f"{i},{i * 0.5},{('red', 'blue')[i % 2]},{i % 3}\n" for i in range(12))
OPTIONS = {
    "train": {
        "--target": ("y", "a", "colour", "0", "-1", "99", "", "-", "é"), "--drop": ("a", "0", "b", "none"),
        "--categorical": ("a", "1", "x"), "--task": ("classification", "regression", "guess"),
        "--test-fraction": ("0.2", "0", "1", "-1", "nan", "0.99"), "--validation-fraction": ("0.2", "0.9", "x"),
        "--hidden": ("3", "none", "2,2", "0", "", "3,", "-1", "99999999999"), "--activation": ("tanh", "softmax"),
        "--output": ("softmax", "identity", "sigmoid", "relu"), "--loss": ("squared_error", "poisson", "huber", "x"),
        "--dropout": ("0.5", "0", "1"), "--label-smoothing": ("0.1", "2"), "--dtype": ("float64", "float16"),
        "--batch-size": ("4", "0", "1000000000000"),
        "--optimizer": ("sgd", "lbfgs", "rprop", "levenberg_marquardt", ""),
        "--learning-rate": ("0.1", "nan", "-1", "1e300", "inf"), "--schedule": ("cosine", "constant"),
        "--momentum": ("0.9", "1", "nan"), "--weight-decay": ("0.1", "-1"), "--patience": ("1", "0"),
        "--seed": ("1", "-1", "99999999999999999999999"), "--threads": ("1", "2", "0", "9999"),
        "--save": ("out.safetensors", "no/such/folder", ".", "x" * 300, "model"), "--plot": ("a.jpg",),
        "--checkpoint": ("run.ckpt", ".", "data.csv"), "--quiet": None, "--resume": None,
    },
    "predict": {
        "--probabilities": None, "--output": ("out.csv", ".", "no/such", "model"), "--threads": ("1", "0", "x"),
    },
    "info": {"--help": None, "--nothing": None},
}  # fmt: skip
FILES = ("data.csv", "data.npz", "folder", "data.idx", "model", "missing", "", "folder/none", "é", "--", "a\0b")
CODES = (0, 1, 2, 130)


def make_files(source):
    """Write data of every kind and a model to the working folder, some of them damaged."""
    files = {"data.csv": (CSV.encode(), change_csv)}
    np.savez("data.npz", X=ROWS, y=np.arange(12) % 3)
    fm.write_idx("data.idx", ROWS.reshape(12, 3, 3))
    Path("folder").mkdir()
    for part in ("train", "t10k"):
        fm.write_idx(f"folder/{part}-images-idx3-ubyte", ROWS.reshape(12, 3, 3))
        fm.write_idx(f"folder/{part}-labels-idx1-ubyte", (np.arange(12) % 3).astype(np.uint8))
    fm.Network([9, 3], loss="cross_entropy", seed=0).save("model")
    changes = {
        "data.npz": change_npz, "data.idx": change_idx, "model": change_model,
        "folder/train-labels-idx1-ubyte": change_idx, "folder/t10k-images-idx3-ubyte": change_idx,
    }  # fmt: skip
    files |= {name: (Path(name).read_bytes(), change) for name, change in changes.items()}
    for name, (content, change) in files.items():
        seed = source.byte()
        Path(name).write_bytes(change(content, random.Random(seed)) if seed > 200 else content)


def run_command(data):
    """Run one command with some options."""
    source = Source(data)
    command = source.choice(list(OPTIONS))
    arguments = [command]
    if command != "train" or source.below(8):
        arguments += [source.choice(("model", *FILES))] if command != "train" else []
        arguments += [source.choice(FILES)] if command != "info" else []
    options = OPTIONS[command]
    for _ in range(source.below(5)):
        name = source.choice(list(options))
        arguments += [name] if options[name] is None else [name, source.choice(options[name])]
    if command == "train":
        arguments += ["--epochs", "1", "--threads", "1"]
    with tempfile.TemporaryDirectory() as folder, working_in(folder):
        make_files(source)
        result = CliRunner().invoke(main, arguments)
    check(arguments, result)


@contextlib.contextmanager
def working_in(folder):
    """Change the working folder inside the block."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def check(arguments, result):
    """Check for a known exit code and a one-line error without control characters."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise FoundError(f"{arguments}: {result.exception!r}") from result.exception
    if result.exit_code not in CODES:
        raise FoundError(f"{arguments}: exit code {result.exit_code}")
    text = result.stderr if result.exit_code else result.output
    if any(not (letter.isprintable() or letter in "\n\r\t") for letter in text):
        raise FoundError(f"{arguments}: control characters in {text!r:.500}")
    if result.exit_code == 1:
        errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        if len(errors) != 1 or os.linesep * 2 in result.stderr.strip():
            raise FoundError(f"{arguments}: an error of more than a line: {result.stderr!r:.500}")
