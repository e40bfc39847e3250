"""The cells of README.md, pasted into a real kernel."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.notebook import kernels

README = Path(__file__).parents[2] / "README.md"
CELLS = re.findall(r"^```(?:python)?\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_first_cells_run_as_they_stand_and_ask_and_the_agent_runs_below_them(tmp_path):
    first, launch, agent = (cell for cell in CELLS if ">>>" not in cell and not cell.startswith("make "))
    with kernels.started(Path(sys.executable), tmp_path) as kernel:
        assert kernel.run(first).status == "ok"
        assert kernel.run(launch).status == "ok"
        assert kernel.run("future.resume('publish', True)\n(await future)['published']").text == "True"
        assert {"Oslo", "Bern", "Riga", "add_up", "publish"} == set(
            re.findall(r"\w+", kernel.run("' '.join(node.node_id for node in future.graph.nodes)").text)
        )
        assert kernel.run("random.random = lambda: 0.9").status == "ok"
        assert kernel.run(agent).status == "ok"
        assert kernel.run("(await agent('Oslo'))['total'] >= 50").text == "True"
