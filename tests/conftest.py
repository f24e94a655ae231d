"""Files with the headers of real tools, written by the tests themselves."""

import csv
import json

import pytest

from costmodel.pages.report import runner
from costmodel.pages.report.kernel import Kernel


@pytest.fixture
def write(tmp_path):
    """Write a file: a text, a list of dicts as JSON lines, or (header, rows) as a CSV."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, tuple):
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([content[0].split(","), *content[1]])
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, list):
            path.write_text("\n".join(map(json.dumps, content)), encoding="utf-8")
        else:
            path.write_text(
                content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
            )
        return path

    return write


@pytest.fixture(scope="session")
def kernel():
    """A kernel that is kept for all tests of a worker: it has imported what a notebook needs."""
    with Kernel() as kept:
        yield kept


@pytest.fixture(scope="module")
def one_kernel(kernel):
    """All reports that are made one by one run in the kernel that is kept, as those of a batch."""
    with pytest.MonkeyPatch.context() as patch:
        fresh = runner.execute

        def execute(*asked):
            return fresh(*asked[:3], kernel=asked[3] or kernel)

        patch.setattr(runner, "execute", execute)
        yield
