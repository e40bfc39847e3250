"""``%graphrun`` in IPython without a kernel: runs live on the loop in the background, and are told in text."""

from __future__ import annotations

import subprocess
import sys

LINES = """
from IPython.terminal.interactiveshell import TerminalInteractiveShell
shell = TerminalInteractiveShell.instance(history_load_length=0)
cell = shell.run_cell
cell("%load_ext graphrun_nb", store_history=True)
cell('''
import asyncio
from graphrun_nb import graphify, tool
from graphrun_nb.tools import ask_approval

@graphify("gate", outputs=["ok"])
def gate():
    return {"ok": ask_approval(prompt="Pay?", _id="approve").approved}

@tool(outputs=["y"])
def half(x):
    return x / 2

@graphify("halves", inputs=["x"], outputs=["y"])
def halves(x):
    return {"y": half(x, _id="half").y}
''')
print("LAUNCH")
cell("f = %graphrun halves x=8", store_history=True)
cell("print(f.result())", store_history=True)
cell("g = %graphrun gate", store_history=True)
print("AGAIN")
cell("h = %graphrun gate", store_history=True)
print("SHOW")
cell("%graphrun show f;", store_history=True)
cell("g.cancel(), h.cancel()", store_history=True)
print("TAB", shell.Completer.complete("%graphrun halves ")[1][:1])
cell("%graphrun doctor", store_history=True)
"""


def test_runs_are_told_in_text(tmp_path):
    command = [sys.executable, "-c", LINES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    launch, rest = done.stdout.partition("LAUNCH")[2].split("AGAIN")
    again, shown = rest.split("SHOW")
    assert "of halves: " in launch
    assert "{'y': 4.0}" in launch
    assert "another run of 'gate' is alive: gate-" in again
    assert "of halves: done (1 done)" in shown
    assert "TAB ['x=']" in shown
    assert "none: a terminal, without views" in shown
    assert "Inspector" not in done.stdout
