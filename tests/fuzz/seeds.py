"""Write the valid inputs of the corpus: ``python tests/fuzz/seeds.py``. Inputs that once failed stay there too."""

import datetime
import gzip
import io
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import openpyxl
import pyarrow
from fuzz.targets import CORPUS, SCRATCH
from pyarrow import parquet

import fastmlp as fm

TABLES = {
    "numbers": "a,b,y\n1,2,3\n4,5.5,6\n-1e3,0,7\n",
    "texts": 'size;colour;fruit\n1;red;apple\n2;"dark, green";kiwi\n3;red;apple\n',
    "no-header": "1\t2\t0\n3\t4\t1\n5\t6\t0\n",
    "quoted": 'a,b\n"x\n""y""",1\nz,2\n',
}


def write(target, name, content):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(content)


def saved(save, *arguments, **arrays):
    made = io.BytesIO()
    save(made, *arguments, **arrays)
    return made.getvalue()


def idx_of(array):
    fm.write_idx(SCRATCH / "seed.idx", array)
    return (SCRATCH / "seed.idx").read_bytes()


def write_tables():
    """A table of numbers, texts, categories, dates and gaps in each format, packed in several ways."""
    dates = [datetime.date(2024, 5, 6), None, datetime.date(2024, 5, 8)]
    table = pyarrow.table(
        {
            "n": [1, None, 3], "x": [0.5, 1e9, None], "town": ["Ulm", "Bonn", None], "day": dates,
            "b": [True, None, False], "c": pyarrow.array(["u", "v", "u"]).dictionary_encode(),
            "r": [{"a": 1}, {"a": 2}, None], "l": [["a"], [], None],
        }
    )  # fmt: skip
    plain = table.select(["n", "x", "town", "day", "b", "l"])
    for packing in ("none", "snappy", "zstd"):
        made = io.BytesIO()
        parquet.write_table(table, made, compression=packing, row_group_size=2, use_dictionary=packing != "none")
        write("parquet", f"{packing}.parquet", made.getvalue())
    for name, packing, columns in (
        ("plain", None, plain),
        ("lz4", "lz4", plain),
        ("zstd", "zstd", table),
        ("c", None, table),
    ):
        made = io.BytesIO()
        options = pyarrow.ipc.IpcWriteOptions(compression=packing)
        with pyarrow.ipc.new_file(made, columns.schema, options=options) as writer:
            writer.write_table(columns, 2)
        write("arrow", f"{name}.arrow", made.getvalue())
    made = io.BytesIO()
    with pyarrow.ipc.new_stream(made, plain.schema) as writer:
        writer.write_table(plain)
    write("arrow", "stream.arrows", made.getvalue())
    rows = '{"n": 1, "x": 0.5, "t": "Ulm", "s": {"a": 1, "b": [2]}, "d": "2024-05-06"}'
    write("json", "rows.json", f'[{rows}, {{"n": null, "x": 3, "t": "?", "m": true}}]'.encode())
    write("json", "lines.json", f'{rows}\n{{"n": null, "x": 3}}\n'.encode())
    write("json", "columns.json", b'{"n": {"0": 1, "1": 2}, "t": {"0": "Ulm", "1": null}}')
    write("json", "split.json", b'{"columns": ["n", "t"], "index": [0, 1], "data": [[1, "Ulm"], [2, null]]}')
    write("json", "arrays.json", b'[[1, "Ulm"], [2.5, null]]')
    book = openpyxl.Workbook()
    for row in (["n", "x", "town", "day", "b"], [1, 0.5, "Ulm", dates[0], True], [None, 2, "NA", None, False]):
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    write("excel", "towns.xlsx", made.getvalue())
    head = "% old\n@relation coins\n@attribute 'in g' real\n@attribute metal {gold,'red gold'}\n"
    head += "@attribute note string\n@data\n"
    write("arff", "rows.arff", f"{head}5.1,gold,'it\\'s, x'\n?,'red gold',y\n".encode())
    write("arff", "sparse.arff", f"{head}{{0 5, 1 'red gold'}}\n{{2 x}}\n".encode())
    rows = "Ann\t1.5\tbig one\tyes\nBob\t?\tsmall\tno\n"
    write("orange", "three.tab", f"name\tsize\tkind\tclass\ns\tc\tbig\\ one small\td\nmeta\t\t\tclass\n{rows}".encode())
    write("orange", "one.tab", f"mS#name\tC#size\tD#kind\tcD#class\n{rows}".encode())


def main():
    write_tables()
    for name, text in TABLES.items():
        write("csv", f"{name}.csv", text.encode())
    write("csv", "packed.csv.gz", gzip.compress(TABLES["texts"].encode(), mtime=0))
    images, labels = np.arange(24, dtype=np.uint8).reshape(4, 2, 3), np.array([0, 1, 2, 9], dtype=np.uint8)
    for dtype in ("u1", "i1", "i2", "i4", "f4", "f8"):
        write("idx", f"{dtype}.idx", idx_of(np.arange(6).astype(dtype).reshape(2, 3)))
    write("idx", "packed.idx.gz", gzip.compress(idx_of(images), mtime=0))
    write("folder", "plain", b"////".join([idx_of(images), idx_of(labels)] * 2))
    write("folder", "packed", b"////".join([gzip.compress(idx_of(images), mtime=0), idx_of(labels)] * 2))
    X, y = np.arange(12.0).reshape(4, 3), np.array([0, 1, 0, 1])
    write("npz", "pair.npz", saved(np.savez, X=X, y=y))
    write("npz", "packed.npz", saved(np.savez_compressed, X_train=np.asfortranarray(X), y_train=y.astype(">i2"), z=y))
    write("npz", "four.npz", saved(np.savez, X_train=images, y_train=labels, X_test=images, y_test=labels))
    write("npz", "alone.npz", saved(np.savez, X=X > 3))
    for name, settings in (("plain", {}), ("average", {"average": 0.5, "optimizer": "sgd", "alpha": 0.1})):
        network = fm.Network([2, 3, 1], seed=0)
        rows = np.arange(8.0).reshape(4, 2)
        network.fit(rows, rows[:, :1], epochs=1, batch_size=2, checkpoint=SCRATCH / f"{name}.ckpt", **settings)
        write("checkpoint", name, (SCRATCH / f"{name}.ckpt").read_bytes())
    for target in ("model", "command", "function", "methods", "estimators", "matrices"):
        write(target, "empty", b"")
        for i in range(3):
            write(target, f"random-{i}", random.Random(i).randbytes(40))


if __name__ == "__main__":
    main()
