"""The lock says what requirements.txt pins, with the hash of every file; no network is asked."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.M)


def pins(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return {re.sub(r"[-_.]+", "-", pin.lower()): version for pin, version in PIN.findall(text)}


def test_every_pin_is_locked_at_its_version():
    plain, locked = pins("requirements.txt"), pins("requirements.lock")
    assert len(plain) > 100
    assert {name: locked.get(name) for name in plain} == plain


def test_what_the_lock_has_more_is_for_other_platforms_or_versions():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    more = set(pins("requirements.lock")) - set(pins("requirements.txt"))
    for name in more:
        assert re.search(rf"^{name}==\S+ ; ", text, re.M), name


def test_every_lock_has_its_hashes_and_no_address():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    for pin in re.split(r"\n(?=\S)", text):
        if "==" in pin and not pin.startswith("#"):
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", pin), pin[:60]
