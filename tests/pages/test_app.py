"""The app without a browser: its first page, its template, and what it says without Voila."""

import socket
from datetime import datetime

import pytest

import costmodel as cm
from costmodel.cli import main
from costmodel.pages import app
from costmodel.pages.widgets.remembered import noted
from costmodel.scenarios.writing import as_yaml


def test_a_card_leads_to_its_cockpit_and_back():
    page = app.start()
    cards = page.children[2].children
    assert [card.description.partition("\n")[0] for card in cards] == list(app.CARDS)
    cards[3].click()
    back, box = page.children[1:]
    assert box.verdict.named == "Whole life" and "requests_per_day" in box.controls
    assert box.verdict.table.loc["Tokens alone", "base_case"] / 36 == pytest.approx(1_000)
    back.click()
    assert page.children[2].children == cards


def test_the_template_loads_nothing_from_a_network(tmp_path, monkeypatch):
    theirs = tmp_path / "theirs" / "voila" / "templates" / "lab"
    theirs.mkdir(parents=True)
    (theirs / app.PAGE).write_text('<link href="https://cdn.example/x.css">\n{{ super() }}\n')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "theirs"))
    app._offline_template(tmp_path)
    made = (tmp_path / "voila" / "templates" / "costmodel" / app.PAGE).read_text()
    assert "https://" not in made and "super()" in made


def test_without_voila_the_command_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        main(["app"])
    said = " ".join(capsys.readouterr().err.split())
    assert stopped.value.code == 2 and "the app needs Voila; write pip install" in said


def upload(page, *files):
    page.children[4].value = tuple(
        {
            "name": path.name,
            "type": "",
            "size": 1,
            "content": memoryview(path.read_bytes()),
            "last_modified": datetime.now(),
        }
        for path in files
    )


def test_files_open_their_cockpit_and_what_is_none_is_refused(tmp_path):
    """Usage with its bill and judged answers; a scenario, with the picks of its cockpit."""
    page = app.start()
    upload(page, *map(cm.ingest.example, ("usage", "invoice", "evaluation")))
    box = page.children[2]
    assert box.verdict.named and box.verdict.table.index.str.startswith("Today: ").any()
    study = cm.load("support_assistant")
    cockpit = cm.widgets.cockpit(study, "case", draws=50, baseline="people")
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(study) + noted(cockpit.state.asked))
    page = app.start()
    upload(page, path)
    box = page.children[2]
    assert box.state.asked.question.title == "Should we fund it?" and len(box.cards) == 4
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    page = app.start()
    upload(page, tmp_path / "x.csv", path)
    assert "a scenario and other files are chosen" in page.children[5].value
    page = app.start()
    upload(page, tmp_path / "x.csv")
    assert len(page.children) == 6 and "x.csv" in page.children[5].value


def test_a_port_that_is_taken_is_named_with_another_one(monkeypatch, capsys):
    monkeypatch.setattr(app, "find_spec", lambda name: True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as stopped:
            main(["app", "--no-browser", "--port", str(port)])
    assert stopped.value.code == 2 and f"port {port} is taken" in capsys.readouterr().err
