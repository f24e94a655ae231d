"""Files with the headers of real tools, written by the tests themselves."""

import csv
import json

import pytest


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
