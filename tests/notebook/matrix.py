"""Kernels of other ipykernel versions: one virtual environment each, under `.cache/kernels/` of the checkout.

    python tests/notebook/matrix.py prepare 6.31.0      make the environment (some 20 s; nothing to do if it is there)
    python tests/notebook/matrix.py test [VERSION …]    prepare them and run the notebook tests with their kernels

`GRAPHRUN_KERNELS` (versions, separated by blanks) says which kernels the tests use; `installed` is the one beside
pytest.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "kernels"
INSTALLED = "installed"
ORDINARY = (INSTALLED, "6.31.0")
ALL = ("6.31.0", "7.0.1", "7.2.0", "7.4.0")


def versions() -> tuple[str, ...]:
    """Give the versions that this test run covers."""
    return tuple(os.environ.get("GRAPHRUN_KERNELS", "").split()) or ORDINARY


def python(version: str) -> Path | None:
    """Give the interpreter of a version's environment; None if it was not prepared for what is required now."""
    if version == INSTALLED:
        return Path(sys.executable)
    stamp = CACHE / version / "requirements.sha256"
    return _executable(version) if stamp.exists() and stamp.read_text() == _digest(version) else None


def prepare(version: str) -> Path:
    """Make the environment of a version, if it is not there: ipykernel and what the project depends on."""
    ready = python(version)
    if ready is not None:
        return ready
    home = CACHE / version
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=True)
    pip = [str(_executable(version)), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-compile", *_requirements(version)], check=True)
    (home / "requirements.sha256").write_text(_digest(version))
    return _executable(version)


def _executable(version: str) -> Path:
    return CACHE / version / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _requirements(version: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = [line for line in project["dependencies"] if not line.startswith("ipykernel")]
    return [f"ipykernel=={version}", *others]


def _digest(version: str) -> str:
    return hashlib.sha256("\n".join([sys.version, *_requirements(version)]).encode()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["prepare", "test"])
    parser.add_argument("version", nargs="*", default=list(ALL))
    chosen = parser.parse_args(arguments)
    for version in chosen.version:
        prepare(version)
    if chosen.verb == "prepare":
        return 0
    environment = {**os.environ, "GRAPHRUN_KERNELS": " ".join(chosen.version)}
    tests = [sys.executable, "-m", "pytest", "tests/notebook"]
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
