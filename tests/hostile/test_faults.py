"""Nothing gets lost: full disks, killed workers and kernels, and a parent that is gone."""

import asyncio
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

import costmodel as cm
from costmodel.cli import main
from costmodel.core import files
from costmodel.scenarios import portfolio

BASE = """title: Small
terms: {on: 2026-11-20, months: 3}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
options: {presets: {only: [Prompt]}}
draws: 20
"""
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def told(said):
    return " ".join(said.output.split())


# -- files -----------------------------------------------------------------------------------------


def test_a_set_of_files_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    first, second = tmp_path / "a.html", tmp_path / "a.pdf"
    files.write_all({first: "old", second: "old"})
    write, calls = Path.write_bytes, []

    def second_fails(path, content):
        calls.append(path)
        return full() if len(calls) == 2 else write(path, content)

    monkeypatch.setattr(Path, "write_bytes", second_fails)
    with pytest.raises(ValueError, match=r"a\.pdf' cannot be written: no space left on device"):
        files.write_all({first: "new", second: "new"})
    assert (first.read_text(), second.read_text()) == ("old", "old")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "a.pdf"]


@pytest.mark.parametrize("save", ["save", "csv", "init"])
def test_a_disk_that_fills_leaves_the_old_file(save, tmp_path, monkeypatch):
    path = tmp_path / "old.csv"
    path.write_text("old")
    (tmp_path / "base.yaml").write_text(BASE)
    study = cm.load(BASE)
    monkeypatch.setattr(Path, "write_bytes", full)
    if save == "save":
        with pytest.raises(ValueError, match="no space left"):
            cm.scenarios.save(study, path)
    else:
        args = {
            "csv": ["compare", str(tmp_path / "base.yaml"), "--csv", str(path)],
            "init": ["init", str(path), "--force", "--for", "answers", "--amount", "9"]
            + ["--size", "9", "--wrong", "1"],
        }[save]
        said = CliRunner().invoke(main, args)
        assert said.exit_code == 2
        assert "old.csv' cannot be written: no space left on device" in told(said) or save == "init"
    assert path.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["base.yaml", "old.csv"]


def test_a_full_disk_is_noticed_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    monkeypatch.setattr(cm, "load", lambda *_, **__: pytest.fail("the work began"))
    out = tmp_path / "t.csv"
    for command in ("compare", "portfolio"):
        said = CliRunner().invoke(main, [command, "support_assistant", "--csv", str(out)])
        assert said.exit_code == 2
        assert "t.csv' cannot be written: its disk has less than 1 MB left" in " ".join(
            said.output.split()
        )
    with pytest.raises(ValueError, match="is a folder; write the path of a file"):
        files.check_writable(tmp_path)


SMALL = """
title: S
terms: {months: 3}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 200, usd_per_failure: 1}
options: {presets: {only: [Prompt]}}
draws: 200
"""


def spoken(*given):
    """Exit code and words of a command."""
    said = CliRunner().invoke(main, [*map(str, given)])
    return said.exit_code, " ".join(said.output.split())


@posix
@pytest.mark.parametrize("through", ["mine.yaml", "./mine.yaml", "link.yaml"])
def test_a_command_never_writes_over_what_it_reads(tmp_path, monkeypatch, through):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SMALL)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "mine.yaml")
    code, said = spoken("compare", "mine.yaml", "--csv", through)
    assert code == 2 and "is read by this command; write to another path" in said
    assert (tmp_path / "mine.yaml").read_text() == SMALL


@posix
def test_devices_and_pipes_are_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/null"):
        code, said = spoken("compare", "own_gpus", "--draws", 100, "--csv", path)
        assert code == 2 and "is a device or a pipe; write the path of a file" in said
        with pytest.raises(ValueError, match="is a device or a pipe"):
            files.write(path, "x")
    assert pipe.is_fifo() and spoken("compare", "own_gpus", "--csv", "") == (
        2, "error: an empty path names no file; write the path of one",
    )  # fmt: skip


@posix
def test_a_link_stays_one_and_who_may_read_stays_who_may(tmp_path):
    there, link = tmp_path / "there.csv", tmp_path / "link.csv"
    there.write_text("old")
    there.chmod(0o600)
    link.symlink_to(there)
    files.write(link, "new")
    assert link.is_symlink() and there.read_text() == "new"
    assert there.stat().st_mode & 0o777 == 0o600


def test_an_export_into_a_file_is_refused_in_words(tmp_path):
    there = tmp_path / "there.yaml"
    there.write_text("kept")
    code, said = spoken("export", "own_gpus", "--focus", "--draws", 100, "-o", there)
    assert code == 2 and there.read_text() == "kept"
    assert "there.yaml' cannot be written: file exists; write to another" in said


def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True
    )
    dead, ours = (
        tmp_path / f"costmodel-{int(gone.stdout)}-x",
        tmp_path / f"costmodel-{os.getpid()}-y",
    )
    other = tmp_path / "costmodel-notes"
    for folder in (dead, ours, other):
        folder.mkdir()
    with files.temporary_folder() as folder:
        assert not dead.exists() and ours.exists() and other.exists() and folder.exists()
    assert not folder.exists()
    part = tmp_path / f".x.csv.{'a' * 32}.part"
    part.write_text("half")
    files.write(tmp_path / "x.csv", "whole")
    assert part.exists()  # perhaps of a process that still writes
    os.utime(part, (0, 0))
    files.write(tmp_path / "x.csv", "whole")
    assert not part.exists()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB, where mounting is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    size = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    made = subprocess.run(size, capture_output=True, text=True) if mount else None
    if made is None or made.returncode:
        pytest.skip(f"no disk can be mounted here: {made.stderr.strip() if made else 'no mount'}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_or_read_only_keeps_its_files(small_disk):
    old, room = small_disk / "old.csv", small_disk / "room"
    old.write_text("old")
    room.write_bytes(b"x" * 2_000_000)
    files.check_writable(old)
    with pytest.raises(ValueError, match=r"old.csv' cannot be written: no space left on device; "):
        files.write_all({small_disk / "a.html": b"x" * 1_000_000, old: b"x" * 3_000_000})
    assert old.read_text() == "old" and sorted(small_disk.iterdir()) == [old, room]
    room.write_bytes(b"x" * 3_500_000)
    with pytest.raises(ValueError, match=r"old.csv' cannot be written: its disk has less than 1 M"):
        files.check_writable(old)
    room.unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    args = ["compare", "support_assistant", "--csv", str(old)]
    said = CliRunner().invoke(main, args)
    assert said.exit_code == 2 and "cannot be written: read-only file system" in told(said)
    assert old.read_text() == "old"


# -- processes -------------------------------------------------------------------------------------


class Failing(ThreadPoolExecutor):
    """An executor whose every task ends with an error."""

    def __init__(self, error):
        super().__init__(1)
        self.error = error

    def submit(self, call, *args):
        future = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize(
    "lost", [type("KilledWorker", (Exception,), {}), CancelledError, asyncio.CancelledError]
)
def test_rows_that_a_cluster_lost_are_done_again_here(lost):
    """Workers of Dask that are killed again and again, and a scheduler that is gone."""
    cases = {name: {} for name in ("a", "b")}
    table = cm.scenarios.compare_portfolio(cases, BASE, executor=Failing(lost()), progress=False)
    right = cm.compare(cm.load(BASE))["expected"].item()
    assert table["expected"].to_list() == [right] * 2 and (table["error"] == "").all()
    with pytest.raises(RuntimeError, match="its own fault"):
        broken = Failing(RuntimeError("its own fault"))
        cm.scenarios.compare_portfolio(cases, BASE, executor=broken, progress=False)


@posix
def test_the_rows_of_a_killed_worker_are_done_again(monkeypatch, tmp_path):
    """Killed once, a scenario is done again; one that always kills costs no other."""
    loaded, ours, mark = portfolio._loaded, os.getpid(), tmp_path / "killed"

    def killing(scenario, changes):
        name = changes.pop("note")
        always = name == "always"
        if os.getpid() != ours and (always or (name == "once" and not mark.exists())):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return loaded(scenario, changes)

    monkeypatch.setattr(portfolio, "_loaded", killing)
    monkeypatch.setattr(portfolio, "BATCH", 2)
    names = ["a", "once", "b", "always", "c"]
    cases = {name: {"note": name} for name in names}
    table = cm.scenarios.compare_portfolio(cases, BASE, workers=1, progress=False)
    table = table.set_index("scenario")
    assert list(table.index) == names
    assert table["error"].to_dict() == dict.fromkeys(names, "") | {
        "always": "its process was killed, perhaps for want of memory"
    }
    assert (
        table["expected"].dropna().to_list() == [cm.compare(cm.load(BASE))["expected"].item()] * 4
    )


def test_whatever_is_wrong_with_a_scenario_stops_no_other(monkeypatch):
    loaded = portfolio._loaded

    def failing(scenario, changes):
        if (wrong := changes.pop("note")) != "fine":
            raise {"memory": MemoryError, "deep": RecursionError, "type": TypeError}[wrong](wrong)
        return loaded(scenario, changes)

    monkeypatch.setattr(portfolio, "_loaded", failing)
    cases = {name: {"note": name} for name in ("memory", "deep", "fine", "type")}
    table = cm.scenarios.compare_portfolio(cases, BASE, workers=1, progress=False)
    assert dict(zip(table["scenario"], table["error"], strict=True)) == {
        "memory": "MemoryError: memory",
        "deep": "RecursionError: deep",
        "fine": "",
        "type": "TypeError: type",
    }


PARENT = """
import os, sys, time
from costmodel.scenarios import portfolio
with portfolio._processes(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 60).result()
"""


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a stopped process ends on Linux alone")


@posix
@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=LINUX)])
def test_workers_end_with_a_parent_that_is_killed(stopped):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())

    def runs():
        try:
            os.kill(worker, 0)
            state = Path(f"/proc/{worker}/stat")
            return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    if stopped:
        os.kill(worker, signal.SIGSTOP)
    before, end = runs(), time.monotonic() + 20
    parent.kill()
    parent.wait()
    while (after := runs()) and time.monotonic() < end:
        time.sleep(0.1)
    if after:
        os.kill(worker, signal.SIGKILL)
    assert (before, after) == (True, False)


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_nothing_behind(name, tmp_path):
    code = (
        "import sys, time; from costmodel.cli import main; from costmodel.core import files\n"
        "import costmodel.cli as cli\n"
        "def slow(*_, **__):\n"
        "    with files.temporary_folder():\n"
        "        print('begun', flush=True); time.sleep(60)\n"
        "cli.cm.load = slow\n"
        "main(['compare', 'support_assistant', '--csv', 'out.csv'])\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path),
            "PYTHONPATH": str(Path(cm.__file__).parents[1]),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline() == "begun\n"
    run.send_signal(getattr(signal, name))
    assert run.wait(20) == 130 and "stopped" in run.stderr.read()
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_portfolio_that_is_stopped_ends_at_once(tmp_path):
    rows = "".join(f"r{i},support_assistant,30000\n" for i in range(200))
    (tmp_path / "many.csv").write_text(f"name,scenario,draws\n{rows}")
    run = subprocess.Popen(
        [sys.executable, "-m", "costmodel", "portfolio", "many.csv", "--csv", "out.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(cm.__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    workers, until = Path(f"/proc/{run.pid}/task/{run.pid}/children"), time.monotonic() + 60
    while not (workers.exists() and workers.read_text()) and time.monotonic() < until:
        time.sleep(0.5)
    assert run.poll() is None
    run.send_signal(signal.SIGTERM)
    assert run.wait(15) == 130 and "stopped" in run.stderr.read()
    assert [path.name for path in tmp_path.iterdir()] == ["many.csv"]


@posix
@pytest.mark.notebook
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_report_that_is_stopped_leaves_nothing(name, tmp_path):
    cells = ["import time, pathlib", "pathlib.Path('begun').touch(); time.sleep(300)"]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "slow.ipynb")
    (tmp_path / "own").mkdir()
    run = subprocess.Popen(
        [sys.executable, "-m", "costmodel", "report", "./slow.ipynb", "-o", "out"],
        cwd=tmp_path,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path / "own"),
            "PYTHONPATH": str(Path(cm.__file__).parents[1]),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < until:
        time.sleep(0.1)
    run.send_signal(getattr(signal, name))
    assert run.wait(30) == 130 and "stopped" in run.stderr.read()
    assert not (tmp_path / "out").exists() and list((tmp_path / "own").iterdir()) == []


@posix
@pytest.mark.notebook
def test_a_killed_kernel_says_why(tmp_path):
    path = tmp_path / "killed.ipynb"
    cell = new_code_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    nbformat.write(new_notebook(cells=[cell]), path)
    with pytest.raises(cm.report.ReportError, match="its kernel was killed, perhaps for want of"):
        cm.report.run(path, out=tmp_path / "out", formats=["html"])
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["killed.incomplete.html"]
