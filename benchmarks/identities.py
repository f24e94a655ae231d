"""On how many recorded answers of providers the counts of tokens add up, by format.

`python benchmarks/identities.py FOLDER` reads every file of a folder and prints the rows of each
format, those that add up, and the reasons of those that do not. A file may hold a list of
`{"body": ...}`, as recorded test data often does.
"""

from __future__ import annotations

import sys
from collections import Counter

from costmodel.ingest.files import Document, batched, documents, listed
from costmodel.ingest.usage import READERS, Rows


def main(folder: str) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for path in listed(folder):
        rows = Rows(path.name, list(READERS))
        for batch in batched(documents(path)):
            for row, doc, problem in batch:
                body = doc.get("body", doc) if isinstance(doc, dict) else doc
                found = [r.name for r in READERS if isinstance(body, dict) and r.known_by(body)]
                part = rows.of([Document(row, body, problem)])
                name = found[0] if found else "no usage"
                for _, _, reason in part.aside:
                    seen[name, reason] += 1
                for data in part.data:
                    for certainty in data["certainty"]:
                        seen[name, certainty] += 1
    for (name, said), count in sorted(seen.items()):
        print(f"{count:>7,}  {name:<55} {said}")


if __name__ == "__main__":
    main(*sys.argv[1:])
