"""The front door: the README says today's numbers, and what it links to is there."""

import importlib.util
import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def benchmark(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def front_door():
    return benchmark("front_door")


def test_the_page_of_formulas_is_todays():
    """`make formulas` writes it; what it shows as a check is executed with the docstrings."""
    formulas = benchmark("formulas")
    page = formulas.page()
    assert formulas.PAGE.read_text(encoding="utf-8") == page
    assert page.count("### ") == page.count("```python") > 60
    assert "C = 4 N D" in page and "arXiv:2106.09685" in page


def test_the_words_of_the_readme_are_todays(front_door):
    """`python benchmarks/front_door.py --words` writes them."""
    for name, said in front_door.words().items():
        found = front_door.block(name).search(README)
        assert found and found[2] == f"{said}\n", name


def test_the_picture_beside_the_answer_shows_the_same_answer():
    """`make front-door` writes it, with the answer of its report inside."""
    picture = Image.open(ROOT / "docs/pictures/01_which_approach.png")
    said = re.search(r"<!-- answer -->\n> (.*?)\n<!-- /answer -->", README, re.S)
    assert picture.text["answer"].startswith(said[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_links_to_is_there(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    for link in links:
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_every_notebook_is_shown():
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"docs/pictures/{notebook.stem}.png" in README
        assert f"notebooks/{notebook.name}" in README


def test_the_tour_names_eleven_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tour = re.findall(r"^\| `(costmodel/\S+\.py)` \|", text, re.M)
    assert len(tour) == 11 and all((ROOT / path).is_file() for path in tour)
