"""The benchmark: a table of cases, one adapter per contender, one harness.

    cases.py           what is trained: shapes, losses, optimizers, synthetic data, initial weights
    tasks.py           what each row times: steps, whole fits, predictions, training to a target accuracy
    contenders/        the libraries compared, one file each
    agreement.py       check that a contender computes the same as the others
    timing.py          one contender on one row: warm-up, check, size of a repeat
    worker.py          the process of a contender, with its own threads and memory
    harness.py         all contenders on one row: interleaved repeats, the sgemm peak
    machine.py         the machine and the library versions
    report.py          results as tables and as JSON records
    table.py           the ``bench`` command
    picture.py         result file -> picture
    compare.py         two result files -> exit code
    builds.py          two builds of fastmlp, timed in turns on the same tasks
    one_build.py       the process of one of the builds
    pure_python.py     estimate how long a whole training would take in pure Python

When installed, this folder is the package ``fastmlp.bench``. In a checkout,
``python bench/run.py`` runs the same command as ``fastmlp bench``; with ``--all``
it runs every installed contender (scikit-learn, torch, jax).
"""
