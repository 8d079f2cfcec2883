"""Every setting acts beside every other, or the call is refused with both named."""

import inspect

import pytest
import settings_constructors as constructors
import settings_tables as tables
from settings_walk import PAGE, Outcome, Walk, option, page

import fastmlp as fm
from fastmlp.model.layers import LAYERS
from fastmlp.model.loss_kinds import LOSSES

KINDS = ["MLPRegressor", "MLPClassifier"]


@pytest.fixture(scope="module")
def walks():
    """Each table is walked once, for the faults and for the page."""
    return tables.all_walks() | constructors.WALKS


@pytest.mark.parametrize("name", ["Network", *KINDS, *constructors.WALKS])
def test_no_setting_is_ignored_beside_another(walks, name):
    pytest.importorskip("sklearn")
    assert walks[name].faults() == []


def test_the_page_of_refused_pairs_is_up_to_date(walks):
    pytest.importorskip("sklearn")
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(walks), "python tests/settings_walk.py writes it again"


def test_every_argument_of_a_network_and_its_fit_has_a_line_in_the_table():
    arguments = [*inspect.signature(fm.Network.__init__).parameters, *inspect.signature(fm.Network.fit).parameters]
    assert {each.setting for each in tables.NETWORK.options} == set(arguments) - {"self"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_of_an_estimator_and_its_fit_has_a_line_in_the_table(kind):
    pytest.importorskip("sklearn")
    estimator = getattr(fm, kind)
    arguments = [*inspect.signature(estimator).parameters, *inspect.signature(estimator.fit).parameters]
    assert {each.setting for each in tables.estimator_options(kind)} == set(arguments) - {"self"}


@pytest.mark.parametrize("name", constructors.WALKS)
def test_every_argument_of_a_layer_a_loss_and_an_optimizer_has_a_line_in_the_table(name):
    arguments = inspect.signature(getattr(fm, name)).parameters
    assert {each.setting for each in constructors.WALKS[name].options} == set(arguments)


def test_every_kind_of_layer_and_every_loss_is_walked():
    assert {*LAYERS, "Input"} == set(constructors.LAYER_WALKS)
    names = {each.make() for each in constructors.LOSS_WALK.options if each.setting == "name"}
    assert names | {"squared_error"} == set(LOSSES)


def test_the_walk_finds_what_is_ignored_and_what_is_refused_in_other_words():
    def run(settings):
        if settings.keys() >= {"a", "c"}:
            return Outcome(error="a is not for c" if settings["c"] == 1 else "not that")
        weights = settings.get("a", 0) or settings.get("b", 0)  # b does nothing beside a
        return Outcome({"weights": (weights, settings.get("c", 0))})

    options = [option("a", 1), option("b", 1), option("c", 1), option("c", 2)]
    assert Walk(options, run).faults() == [
        "a=1 does nothing beside b=1",
        "b=1 does nothing beside a=1",
        "a=1 with c=2: not that",
    ]
    reasons = {("b=1", "a=1"): "a reason", ("a=1", "b=1"): "another"}
    assert Walk(options, run, reasons).faults() == ["a=1 with c=2: not that"]
    idle = Walk([option("a", 0)], run)
    assert idle.faults() == ["a=0 alone changes nothing"]
