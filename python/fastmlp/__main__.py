"""``python -m fastmlp``: the same as the command ``fastmlp``."""

from fastmlp.cli import main

if __name__ == "__main__":
    main(prog_name="python -m fastmlp")
