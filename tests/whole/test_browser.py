"""Sliders in JupyterLab in a real Chromium: a move changes picture and number, an error speaks and
greys.

Run where a Chromium is found; `pytest -rs` names the tests as not run otherwise.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import costmodel as cm

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
REQUIRED = (
    os.environ.get("COSTMODEL_BROWSER") == "required"
)  # then a missing Chromium is a failure, not a skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not REQUIRED, reason="browser tests not run: no Chromium found"
    ),
]

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 90  # a page that is right but slow, on a machine with other work, is no failure
VOLUME = "Workload.requests_per_month"
SETUP = """
import costmodel as cm
work = cm.Workload(requests_per_month=300_000, instruction_tokens=600,
                   input_tokens=900, output_tokens=250,
                   corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03))
options = cm.presets(work, on="2026-11-20")
"""
CELL = SETUP + 'box = cm.widgets.explore(options, work, on="2026-11-20", draws=300)\nbox'
SETTINGS = {  # quiet: no news, no update checks, no questions
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/extensionmanager-extension/plugin": {"enabled": False, "disclaimed": True},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab that shows one notebook, on a free loopback port, closed
    afterwards.
    """
    folder = tmp_path_factory.mktemp("lab")
    cell = {
        "cell_type": "code",
        "id": "sliders",
        "metadata": {},
        "source": CELL,
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (folder / "root").mkdir()
    (folder / "root" / "sliders.ipynb").write_text(
        json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    )
    for name, settings in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    homes = {
        name: str(folder / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    environment = (
        os.environ
        | homes
        | {
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
    )
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder / 'root'}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        command, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        url = f"http://127.0.0.1:{port}/doc/tree/sliders.ipynb?token={token}"
        for _ in range(5 * PATIENCE_S):
            assert server.poll() is None, (folder / "log").read_text()
            try:
                urlopen(f"http://127.0.0.1:{port}/api?token={token}", timeout=1)
                break
            except (URLError, OSError):
                time.sleep(0.2)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
        log.close()


@pytest.fixture(scope="module")
def page(lab):
    """The notebook after "run all"."""
    sync = pytest.importorskip("playwright.sync_api", reason="browser tests not run: no playwright")
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1100, "height": 1000})
        page.set_default_timeout(PATIENCE_S * 1_000)
        try:
            page.goto(lab)
            page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
            page.get_by_text("| Idle").wait_for()  # the kernel answers
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_text("Run All Cells", exact=True).click()
            page.locator(".jp-OutputArea img").wait_for()
            yield page
        finally:
            snap(page, "last")
            browser.close()


def picture(page) -> str:
    """The bytes that the page shows."""
    return page.evaluate("""async () => {
        const image = document.querySelector('.jp-OutputArea img');
        const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
        return bytes.length + ':' + bytes.reduce((sum, b) => (sum * 31 + b) % 1000000007, 7);
    }""")


def headline(page) -> str:
    return page.locator(".costmodel-headline").inner_text()


def until(page, changed, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not changed():
        assert time.monotonic() < deadline, f"{what}; the page says: {headline(page)}"
        page.wait_for_timeout(50)


def enter(page, box, text, happened, otherwise):
    """Type until it is taken: a late answer of the kernel may overwrite what was just typed."""
    typed = []

    def taken():
        if not typed or box.input_value().replace(",", "") != text:
            box.fill(text)
            box.press("Enter")
            typed.append(text)
        return happened()

    until(page, taken, otherwise)


def snap(page, name: str) -> None:
    """Pictures for whoever wants to look: COSTMODEL_SCREENSHOTS=folder pytest -m browser."""
    if folder := os.environ.get("COSTMODEL_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def row(page, number: int = 0):
    return page.locator(".costmodel-row").nth(number)


def expected(volume: float):
    space: dict = {}
    exec(SETUP, space)
    return cm.compare(
        space["options"],
        cm.uncertainty.pin(space["work"], VOLUME, volume),
        on="2026-11-20",
        draws=300,
    ).iloc[0]


def test_the_slider_moves_picture_and_number(page):
    snap(page, "start")
    image, text = picture(page), headline(page)
    handle = row(page).locator(".noUi-handle")
    handle.focus()
    for _ in range(40):
        handle.press("ArrowRight")
    until(page, lambda: picture(page) != image and headline(page) != text, "a move changed nothing")
    box = row(page).locator("input[type=text]")

    def settled() -> bool:
        volume = float(box.input_value().replace(",", ""))
        return (
            volume > 300_000
            and f"USD {expected(volume)['expected']:,.2f} expected over" in headline(page)
        )

    until(page, settled, "the headline is not that of the slider's value")
    assert expected(float(box.input_value().replace(",", ""))).name in headline(page)
    snap(page, "moved")


def test_an_error_greys_the_picture_and_speaks_beside_its_control(page):
    box = row(page).locator("input[type=text]")
    image = page.locator(".jp-OutputArea img")
    enter(
        page,
        box,
        "many",
        lambda: "costmodel-failed" in image.get_attribute("class"),
        "nonsense did not grey the picture",
    )
    assert (
        "must be a number" in row(page).inner_text()
        and "must be a number" not in row(page, 1).inner_text()
    )
    assert "grayscale" in image.evaluate("e => getComputedStyle(e).filter")
    assert "No answer" in headline(page)
    message, typed = row(page).get_by_text("must be a number").bounding_box(), box.bounding_box()
    assert message["x"] > typed["x"] and abs(message["y"] - typed["y"]) < 40  # beside it
    snap(page, "error")
    enter(
        page,
        box,
        "-5",
        lambda: "allowed is at least 0" in row(page).inner_text(),
        "an impossible value was not refused",
    )
    enter(
        page,
        box,
        "400000",
        lambda: (
            "costmodel-failed" not in image.get_attribute("class")
            and "No answer" not in headline(page)
        ),
        "a right value did not bring the picture back",
    )
    assert f"USD {expected(400_000)['expected']:,.2f} expected over" in headline(page)
    assert not re.search("must be|allowed", row(page).inner_text())


def test_everything_fits_in_the_width(page):
    until(
        page,
        lambda: page.locator(".costmodel-waiting").count() == 0,
        "the answer before is still on its way",
    )
    fold = page.locator(".jupyter-widget-Collapse")

    opened_at = -PATIENCE_S

    def unfolded() -> bool:
        nonlocal opened_at
        if (
            time.monotonic() - opened_at > PATIENCE_S / 6
        ):  # as a person would: a fold that stays empty is closed and opened again
            fold.get_by_text("more inputs").click()
            opened_at = (
                time.monotonic()
                if fold.locator(".jupyter-widget-Collapse-contents:not(.lm-mod-hidden)").count()
                else -PATIENCE_S
            )
        return page.locator(".costmodel-row").count() > 30

    until(page, unfolded, "the folded inputs did not appear")
    row(page, 20).scroll_into_view_if_needed()
    snap(page, "more")
    area = page.locator(".jp-OutputArea-output").first
    assert area.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
