"""On how many recorded answers of providers the counts of tokens add up, by format.

`python benchmarks/identities.py FOLDER` reads every file of a folder and prints the rows of each
format, those that add up, and the reasons of those that do not. A file may hold a list of
`{"body": ...}`, as recorded test data often does.
"""

from __future__ import annotations

import sys
from collections import Counter

from costmodel.ingest.collect import READERS, parted
from costmodel.ingest.files import Block, blocks, listed
from costmodel.ingest.usage import rows_of


def main(folder: str) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for path in listed(folder):
        for block in blocks(path):
            memory: dict = {}
            seen.update(("no usage", reason) for _, reason in block.problems)
            for row, doc in zip(block.rows, block.docs, strict=True):
                body = doc.get("body", doc) if isinstance(doc, dict) else doc
                for part in parted(Block([row], [body]), READERS["usage"], memory):
                    name = part.reader.name if len(part.frame) else "no usage"
                    rows = rows_of(path.name, [part])
                    seen.update((name, reason) for _, _, reason in rows.aside)
                    for piece in rows.pieces:
                        seen.update((name, certainty) for certainty in piece["certainty"])
    for (name, said), count in sorted(seen.items()):
        print(f"{count:>7,}  {name:<55} {said}")


if __name__ == "__main__":
    main(*sys.argv[1:])
