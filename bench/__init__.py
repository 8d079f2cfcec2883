"""The benchmark: a table of cases, one adapter per contender, one harness.

    cases.py           what is trained: shapes, losses, optimizers, synthetic data, initial weights
    contenders/        who trains it: one file each, one function each (``prepare``)
    agreement.py       proof that a contender trains what the others train
    timing.py          interleaved repeats, medians and spread, the sgemm peak
    machine.py         what the figures were measured on
    table.py           the ``bench`` command: runs all of it, prints the table, writes JSON
    pure_python.py     seconds that a whole training would take in pure Python, from a timed sample

Installed, this folder is the package ``fastmlp.bench``. From a checkout,
``python bench/run.py`` runs the same command as ``fastmlp bench``.
"""
