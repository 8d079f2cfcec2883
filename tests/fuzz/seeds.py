"""Write the valid inputs of the corpus: ``python tests/fuzz/seeds.py``. Inputs that once failed stay there too."""

import gzip
import io
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from fuzz.targets import CORPUS, SCRATCH

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


def main():
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
