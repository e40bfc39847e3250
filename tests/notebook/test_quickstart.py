"""The quickstart notebook as `make demo` plays it, and as *Run All* does when nobody is there."""

import json
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from graphrun_nb.core.events import AttemptFailed, WaitOpened, WaitResolved
from graphrun_nb.core.status import NodeStatus, RunStatus

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DEMO = runpy.run_path(str(NOTEBOOKS / "demo.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quickstart")


@pytest.fixture(scope="module")
def played(folder):
    return DEMO["play"](folder)


def test_the_demo_runs_every_node_and_writes_the_report(played, folder):
    state = played.state
    assert state.finished is RunStatus.DONE
    assert {node.status for node in state.nodes.values()} == {NodeStatus.DONE}
    assert len({node.info.name for node in state.nodes.values()}) >= 12
    assert "malignant" in (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert (folder / "report" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_download_really_fails_at_first_and_is_tried_again(played):
    faults = [each.event for each in played.log if isinstance(each.event, AttemptFailed)]
    assert {fault.node_id for fault in faults} == {"download"}
    assert {fault.error.type_name for fault in faults} == {"ConnectionRefusedError"}
    assert played.state.nodes["download"].attempt == len(faults) + 1


def test_a_person_is_asked_before_the_report_is_written(played):
    (asked,) = (each for each in played.log if isinstance(each.event, WaitOpened))
    (answered,) = (each for each in played.log if isinstance(each.event, WaitResolved))
    assert (asked.event.node_id, asked.event.wait.kind) == ("approve", "approval")
    assert asked.event.wait.prompt.startswith("Publish 'logistic'?")
    assert answered.event.by == "demo"


def test_the_picture_shows_every_node(played):
    drawing = ET.fromstring(DEMO["picture"](played.state))  # noqa: S314 (our own drawing)
    shown = {"".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert shown >= set(played.state.nodes)


def test_run_all_answers_its_own_question_when_nobody_does(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHRUN_UNATTENDED", "1")
    played = DEMO["play"](tmp_path, answer=None)
    (answered,) = (each.event for each in played.log if isinstance(each.event, WaitResolved))
    assert answered.by == "the notebook"
    assert played.state.finished is RunStatus.DONE


def test_the_notebook_is_committed_without_outputs_or_traces_of_a_machine():
    notebook = json.loads((NOTEBOOKS / "01_quickstart.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert [cell["id"] for cell in code if "answer" in cell["metadata"].get("tags", ())] == ["answer"]
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}
