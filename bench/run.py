"""Run the benchmark from a checkout: ``python bench/run.py --help``."""

from fastmlp.bench.table import main

if __name__ == "__main__":
    main()
