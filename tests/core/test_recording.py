"""Plans: recorded once, done again to other arrays, refused where the branch is another."""

import numpy as np
import pytest

from costmodel.core import NotRecordable, OtherBranch, one_step, recorded

RNG = np.random.default_rng(0)


def draws(rows: int = 50) -> np.ndarray:
    return RNG.uniform(1, 2, (rows, 1))


def bill(arrays):
    """Everything that the engine does to arrays: arithmetic, months, places, choices, parts."""
    volume, price = arrays
    months = volume * 1.02 ** np.arange(13)
    later = np.where(months > 1.2, months * 0.9, months)
    first, second = np.broadcast_arrays(price, later)
    chosen = np.take_along_axis(second, np.ceil(price).astype(int), -1)
    total = np.sum(later * price, axis=-1, keepdims=True) + chosen + first[:, :1]
    return {"total": total, "parts": [later.sum(-1), (np.mean(price), 3.0)], "said": "a word"}


def test_a_plan_gives_what_the_computation_gives_for_other_arrays_of_another_length():
    plan = recorded(bill, [draws(), draws()])
    others = [draws(7), draws(7)]
    ours, theirs = plan.run(others), bill(others)
    np.testing.assert_array_equal(ours["total"], theirs["total"])
    np.testing.assert_array_equal(ours["parts"][0], theirs["parts"][0])
    assert ours["parts"][1] == theirs["parts"][1] and ours["said"] == "a word"
    assert ours["total"].shape == (7, 1)


def test_equal_steps_are_done_once_and_what_nobody_needs_not_at_all():
    def twice(arrays):
        (x,) = arrays
        np.exp(x)  # nobody needs it
        return (x * 2.0 + 1.0) / (x * 2.0 + 1.0 + x)

    plan = recorded(twice, [draws()])
    assert [function for _, function, _ in plan.steps] == [np.multiply, np.add, np.add, np.divide]


def test_another_branch_is_refused():
    def stepped(arrays):
        (x,) = arrays
        return x * 2 if np.all(x < 5) else x * 3

    plan = recorded(stepped, [draws()])
    with pytest.raises(OtherBranch):
        plan.run([draws() + 10])
    assert float(plan.run([np.array([[1.0], [2.0]])]).sum()) == 6.0


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: np.asarray(x) * 2,
        lambda x: np.multiply(x, 2, out=np.empty((len(x), 1))),
        lambda x: x.__setitem__(0, 1.0),
    ],
)
def test_what_takes_values_out_or_writes_them_is_not_recordable(leak):
    with pytest.raises(NotRecordable):
        recorded(lambda arrays: leak(arrays[0]), [draws()])


def test_a_number_of_rows_that_is_taken_for_a_constant_is_found():
    with pytest.raises(NotRecordable, match="does not give"):
        recorded(lambda arrays: arrays[0].sum() / len(arrays[0]), [draws()])


def test_an_equation_that_writes_is_one_step():
    @one_step
    def running(x):
        found = np.zeros_like(x)
        found[1:] = np.cumsum(x, axis=0)[:-1]
        return found

    plan = recorded(lambda arrays: running(arrays[0]) * 2, [draws()])
    other = draws(9)
    np.testing.assert_array_equal(plan.run([other]), running(other) * 2)
    assert len(plan.steps) == 2
