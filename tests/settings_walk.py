"""A walk over all pairs of settings: beside any other, a setting acts, or the call is refused and names both.

The tables of settings are in `settings_tables` and `settings_constructors`. ``python tests/settings_walk.py`` writes
the refused pairs into docs/guide/settings.md.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IDLE = "has no effect with"
PAGE = Path(__file__).parents[1] / "docs" / "guide" / "settings.md"


@dataclass(frozen=True)
class Option:
    """A setting with a value that is not its default.

    Attributes
    ----------
    setting : str
        Name of the argument.
    make : function without arguments
        Returns the value, a new one for each call.
    shown : str
        How the docs show it.
    words : tuple of str
        A refusal must have one of these words.
    seen : tuple of str
        What it changes: names of what a run observes.
    needs : dict
        Other settings that it needs, as functions that return values.
    silent : str
        Why it changes nothing that a run observes, if that is so.
    """

    setting: str
    make: Callable[[], Any]
    shown: str
    words: tuple[str, ...]
    seen: tuple[str, ...] = ("weights",)
    needs: dict[str, Callable[[], Any]] = field(default_factory=dict)
    silent: str = ""


def option(setting, make, shown=None, *, words=(), seen="weights", needs=None, silent=""):
    """An option; the value may be given as it is if it can be used more than once."""
    value = make if callable(make) and getattr(make, "__name__", "") in ("<lambda>", "dense", "yes") else (lambda: make)
    text = f"{setting}={value()!r}" if shown is None else shown
    return Option(setting, value, text, tuple(words) or (setting,), tuple(seen.split()), needs or {}, silent)


@dataclass(frozen=True)
class Outcome:
    """What a run observed, or the error that refused it, and the warnings it gave."""

    seen: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    warnings: tuple[str, ...] = ()


class Walk:
    """All pairs of one table.

    ``among`` limits the pairs to those with one of these settings.
    ``run(settings)`` returns an `Outcome`; ``idle`` has a reason for each pair of shown options, (this one, beside that
    one), in which the first rightly changes nothing. With ``over``, an option is also given beside those that need
    another value of its setting.
    """

    def __init__(self, options, run, idle=None, among=(), *, over=False):
        self.options, self._run, self.idle, self.among, self.over = options, run, idle or {}, among, over
        self._done = {}

    def run(self, *options):
        """The outcome with these options and all that they need."""
        makers = {}
        for each in options:
            makers |= each.needs
        for each in options:
            makers[each.setting] = each.make
        key = tuple(sorted((name, id(make)) for name, make in makers.items()))
        if key not in self._done:
            self._done[key] = self._run({name: make() for name, make in makers.items()}), makers
        return self._done[key][0]

    def pairs(self):
        """Pairs of options that can be given together."""
        for one, other in itertools.combinations(self.options, 2):
            if self.among and not {one.setting, other.setting} & set(self.among):
                continue
            shared = one.needs.keys() & other.needs.keys()
            clash = any(one.needs[name] is not other.needs[name] for name in shared)
            if not clash and one.setting != other.setting and self._beside(one, other) and self._beside(other, one):
                yield one, other

    def _beside(self, one, other):
        """Whether the first option can be given beside what the other needs."""
        return one.setting not in other.needs or (self.over and other.needs[one.setting] is not one.make)

    def without(self, beside, option):
        """The outcome without the option, but with all that it needs."""
        bare = Option("", option.make, "", (), needs=option.needs)
        makers = [beside, bare] if beside is not None else [bare]
        settings = {}
        for each in makers:
            settings |= each.needs
        if beside is not None:
            settings[beside.setting] = beside.make
        key = tuple(sorted((name, id(make)) for name, make in settings.items()))
        if key not in self._done:
            self._done[key] = self._run({name: make() for name, make in settings.items()}), settings
        return self._done[key][0]

    def acts(self, option, beside=None):
        """Whether the option changes what it should, beside another or alone."""
        both = self.run(option) if beside is None else self.run(beside, option)
        alone = self.without(beside, option)
        return alone.error or any(both.seen[name] != alone.seen[name] for name in option.seen)

    def refused(self):
        """The refused pairs, and those with a warning, as (shown, shown, message)."""
        refused, warned = [], []
        for one, other in self.pairs():
            outcome = self.run(one, other)
            if outcome.error:
                refused.append((one, other, outcome.error))
            else:
                told = [text for text in outcome.warnings if IDLE in text and names_both(text, one, other)]
                warned += [(one, other, text) for text in told]
        return refused, warned

    def faults(self):
        """Pairs in which a setting is silently ignored, and refusals that do not name both."""
        found = []
        for each in self.options:
            outcome = self.run(each)
            if outcome.error:
                found.append(f"{each.shown} alone is refused: {outcome.error}")
            elif not each.silent and not self.acts(each):
                found.append(f"{each.shown} alone changes nothing")
        for one, other in self.pairs():
            outcome = self.run(one, other)
            if outcome.error:
                if not names_both(outcome.error, one, other):
                    found.append(f"{one.shown} with {other.shown}: {outcome.error}")
                continue
            for this, that in ((one, other), (other, one)):
                told = any(IDLE in text and names_both(text, this, that) for text in outcome.warnings)
                excused = this.silent or (this.shown, that.shown) in self.idle
                if not excused and not told and not self.acts(this, that):
                    found.append(f"{this.shown} does nothing beside {that.shown}")
        return found


TITLES = {
    "Network": "A network and its `fit`",
    "MLPRegressor": "The estimators",
    "MLPClassifier": "`MLPClassifier` alone",
}
"""Titles of walks over more than one class; others have the name of the class."""
HEAD = """# Settings that do not go together

Every setting acts, or the call is refused with a sentence that names both settings. scikit-learn ignores some of its
own settings beside others, such as `momentum` with `solver="adam"`; the estimators take these with a warning, so that
its grids still run. `python tests/settings_walk.py` writes this page: it tries all pairs of settings, each with a value
that is not the default. A setting that needs another, such as `momentum` the solver "sgd", is tried together with it.
The last sections have the settings of one layer, loss or optimizer.
"""


def page(walks):
    """The text of the page, from the walks by name."""
    parts = [HEAD]
    for name, walk in walks.items():
        about = TITLES.get(name, f"`{name}`")
        refused, warned = walk.refused()
        for pairs, title in ((refused, "refused"), (warned, "with a warning")):
            beside = {}
            for one, other, _ in pairs:
                beside.setdefault(one.shown, []).append(f"`{other.shown}`")
            rows = [f"| `{shown}` | {', '.join(dict.fromkeys(others))} |" for shown, others in beside.items()]
            if rows:
                parts.append(
                    "\n".join([f"\n## {about}: {title}\n", "| setting | beside |", "| --- | --- |", *rows, ""])
                )
        reasons = {}
        for (shown, other), reason in walk.idle.items():
            reasons.setdefault(reason, []).append(f"`{shown}` beside `{other}`")
        silent = [f"- `{each.shown}`: {each.silent}." for each in walk.options if each.silent] if not walk.among else []
        silent += [f"- {', '.join(pairs)}: {reason}." for reason, pairs in reasons.items()] if not walk.among else []
        if silent:
            parts.append("\n".join([f"\n## {about}: rightly without effect on the result\n", *silent, ""]))
    return "".join(parts)


def names_both(text, one, other):
    """Whether a message names both options, or what they need."""
    words = [[*each.words, *(f"{name}=" for name in each.needs)] for each in (one, other)]
    return all(any(word in text for word in each) for each in words)


if __name__ == "__main__":
    import settings_constructors
    import settings_tables

    PAGE.write_text(page(settings_tables.all_walks() | settings_constructors.WALKS), encoding="utf-8")
