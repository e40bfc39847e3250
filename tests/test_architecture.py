"""Floors hold, the core is pure, and importing the package brings nothing heavy."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_import_contracts_hold():
    program = [sys.executable, "-m", "importlinter.cli", "lint"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys, graphrun_nb; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"networkx", "numpy", "pydantic", "anywidget", "ipywidgets", "IPython", "dask", "psycopg", "traitlets"}
    assert not heavy & set(done.stdout.split())
