"""The benchmark: a table of cases, one adapter per contender, one harness.

    cases.py           what is trained: shapes, losses, optimizers, synthetic data, initial weights
    tasks.py           what is timed on a case, one per row: steps, whole fits, predictions, a training to a target
    contenders/        who does it: one file each
    agreement.py       proof that a contender computes what the others compute
    timing.py          one contender on one row: warm-up, check, size of a repeat
    worker.py          the process that a contender runs in, with its threads and its memory
    harness.py         all contenders on one row: interleaved repeats, the sgemm peak
    machine.py         what the figures were measured on
    report.py          results as tables and as JSON records
    table.py           the ``bench`` command
    picture.py         result file -> picture
    compare.py         two result files -> exit code
    builds.py          two builds of fastmlp, in turns on the same tasks
    one_build.py       the process of one of them
    pure_python.py     seconds that a whole training would take in pure Python, from a timed sample

Installed, this folder is the package ``fastmlp.bench``. From a checkout,
``python bench/run.py`` runs the same command as ``fastmlp bench``; with ``--all``
it runs every contender that is installed (scikit-learn, torch, jax).
"""
