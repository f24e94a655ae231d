"""Labels: every input of the register has a name for people."""

import pytest

import costmodel as cm
from costmodel.core.glossary import GLOSSARY, label_of


@pytest.mark.parametrize("name", cm.scenarios.examples())
def test_every_input_of_the_register_has_a_label(name):
    for key in cm.ledgers.register(cm.load(name, draws=1))["input"]:
        assert "_" not in label_of(key) and label_of(key) != key.replace("_", " "), key


def test_inputs_with_one_label_are_one_input():
    keys = {key for name in cm.scenarios.examples() for key in cm.core.leaves(cm.load(name).inputs)}
    assert len({label_of(key) for key in keys}) == len(keys)


def test_a_label_is_short():
    assert all(len(line.label) <= 52 for line in GLOSSARY.values())
