"""A seeded sample of the fuzzers; `make fuzz` runs all of them."""

import pytest
from fuzzers import KINDS, guarded, tried

SAMPLE = 80  # of each kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_is_computed_or_refused_in_one_sentence(kind):
    with guarded():
        found = [tried(kind, seed) for seed in range(SAMPLE)]
    assert [wrong for _, wrong in found if wrong] == []
    assert {outcome for outcome, _ in found} == {"computed", "refused"} and len(found) == SAMPLE


def test_a_fuzzer_writes_in_its_own_folder_alone(tmp_path):
    other = tmp_path / "x"
    with guarded() as folder:
        (folder / "x").write_text("ours")
        for write in (
            lambda: other.write_text("no"),
            other.mkdir,
            lambda: (folder / "x").rename(other),
        ):
            with pytest.raises(PermissionError, match="a fuzzer would write"):
                write()
    assert not other.exists() and not folder.exists()
    other.write_text("free again")
