"""JupyterLab in a real Chromium, for tests and for benchmarks: notebooks of one cell, quiet and
offline, on a free loopback port.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
ROOT = Path(__file__).parents[1]
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
SETTINGS = {  # quiet: no news, no update checks, no questions
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/extensionmanager-extension/plugin": {"enabled": False, "disclaimed": True},
}
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
HOMES = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


@contextmanager
def jupyter_lab(folder: Path, notebooks: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The addresses of notebooks with one cell each, {name: source}; the server ends afterwards."""
    (folder / "root").mkdir()
    for name, source in notebooks.items():
        cell = {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": []}
        made = {"cells": [{**cell, "execution_count": None}], "metadata": KERNEL}
        path = folder / "root" / f"{name}.ipynb"
        path.write_text(json.dumps({**made, "nbformat": 4, "nbformat_minor": 5}))
    for name, settings in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    places = {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
    environment = os.environ | {name: str(folder / name.lower()) for name in HOMES} | places
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
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            for _ in range(5 * PATIENCE_S):
                assert server.poll() is None, (folder / "log").read_text()
                try:
                    urlopen(f"http://127.0.0.1:{port}/api?token={token}", timeout=1)
                    break
                except (URLError, OSError):
                    time.sleep(0.2)
            base = f"http://127.0.0.1:{port}/doc/tree"
            yield {name: f"{base}/{name}.ipynb?token={token}" for name in notebooks}
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


@contextmanager
def chromium():
    """A page of a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(PATIENCE_S * 1_000)
        try:
            yield page
        finally:
            browser.close()


def run_all(page, address: str, shows: str) -> None:
    """Open a notebook and run it until `shows` is there."""
    page.goto(address)
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    page.get_by_text("| Idle").wait_for()  # the kernel answers
    run_cells(page, shows)


def run_cells(page, shows: str) -> None:
    """Run all cells until `shows` is there."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(shows).first.wait_for()


def settled(page) -> bool:
    """Whether the full answer is there and its picture is painted."""
    said = page.locator(".cm-top").inner_text()
    waits = page.locator(".cm-waiting").count()
    going_on = ("First estimate", "still weighed", "computing")
    return not waits and not any(words in said for words in going_on)
