"""The programs beside this file, each run whole: as a script, and in one cell of a notebook's kernel.

What a program prints is given line by line; ``~`` marks what nodes print, which in a notebook is in their logs alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebook import kernels

HERE = Path(__file__).parent
ENTRY = '\n\nif __name__ == "__main__":\n    asyncio.run(main())\n'

PRINTS = {
    "two_steps": """
{'total': 19}
""",
    "ordering_only": """
table created
filled from orders
filled from clients
index built
{}
""",
    "fan_out_fan_in": """
{'longest': 5, 'mean': 4.2}
split done
measure done
summarise done
measure[0] done
measure[1] done
measure[2] done
measure[3] done
measure[4] done
""",
    "inspection": """
<TaskGraph sums: 2 nodes> {'inputs': {'required': [], 'optional': {'x': 1}}, 'outputs': ['y']}
['first', 'second'] [('first', 'second')] ['first'] ['first']
sums(x=…), 2 nodes
  node    needs        labels
  first                #cheap
  second  first.total
outputs: y = second.total
~adding 5 and 1
~adding 6 and 10
{'y': 16}
inspected DONE DONE
first DONE 1 {'a': 5, 'b': 1} {'total': 6} None
['adding 5 and 1'] True
second DONE 1 {'a': 6, 'b': 10} {'total': 16} None
['adding 6 and 10'] True
['RunStarted', 'SpecAccepted', 'AttemptStarted'] 7
[('inspected', 'sums', 'DONE')]
""",
    "flaky_node": """
{'page': '<html>'} 3
('download',) ConnectionError reset
""",
    "conditional_branch": """
{'calming': None, 'thanks': 'Thank you.'}
{'rate': 'done', 'calm': 'skipped', 'thank': 'done'}
{'calming': "There, there: 'Help!!!'", 'thanks': None}
{'rate': 'done', 'calm': 'done', 'thank': 'skipped'}
""",
    "reactive": """
{'number': 71, 'questions': 5}
{'number': 24, 'questions': 2}
['search', 'guess', 'compare', 'guess_2', 'compare_2']
INFO graphrun.search: found after 2 questions
""",
    "two_runs_at_once": """
~one at 0
~other at 0
~one at 1
~other at 1
~one at 2
~other at 2
[{'n': 3}, {'n': 3}] True
['one at 2', 'other at 2']
red at 0
blue at 0
red at 1
blue at 1
red at 2
blue at 2
[{'n': 3}, {'n': 3}]
""",
    "approval_gate": """
{'receipt': 'paid 5', 'choice': 'Pay'}
Pay? approval waiting
approve
node 'approve' has its answer, from token
{'receipt': None, 'choice': 'Keep'}
waiting ['approve']
{'receipt': 'paid 50', 'choice': 'Pay'}
('approve',) ['Pay?']
""",
    "external_job": """
waiting export
{'refused': 'this token opens no wait'}
{'accepted': 'export'}
{'rows': 60, 'file': 'orders.csv'}
""",
}


def lines(program, *, of_nodes):
    """Give what a program prints, with or without what only a script shows."""
    expected = PRINTS[program].strip().splitlines()
    return [line.removeprefix("~") for line in expected if of_nodes or not line.startswith("~")]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with kernels.started(Path(sys.executable), tmp_path_factory.mktemp("kernel")) as started:
        started.run("%load_ext graphrun_nb")
        yield started


def test_every_program_is_covered_here():
    assert {path.stem for path in HERE.glob("*.py")} - {"__init__", "test_programs"} == set(PRINTS)


@pytest.mark.parametrize("program", PRINTS)
def test_a_program_runs_as_a_script(program):
    command = [sys.executable, "-W", "error", str(HERE / f"{program}.py")]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == lines(program, of_nodes=True)
    assert ended.returncode == 0


@pytest.mark.parametrize("program", PRINTS)
def test_a_program_runs_in_a_cell(kernel, program):
    source = (HERE / f"{program}.py").read_text(encoding="utf-8")
    assert ENTRY in source
    reply = kernel.run(source.replace(ENTRY, "\n\nawait main()\n"))
    assert (reply.status, reply.error) == ("ok", "")
    assert reply.stdout.splitlines() == lines(program, of_nodes=False)
