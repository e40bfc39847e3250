"""A disk that is really full: the run stops with a typed error, what is called done is there, and it goes on."""

# ruff: noqa: T201 (it prints its figures)

import subprocess
from collections import Counter

import pytest

from graphrun_nb import SqliteStore
from graphrun_nb.core.state import fold
from tests.stores.programs import RUN_ID
from tests.stores.zygote import zygote

SLOTS = 4
N_NODES = 22
KB = 1024
ROOM = {
    "pages": (20, 22, 25, 30, 34),
    "size": (0, 2 * KB, 20 * KB, 45 * KB, 60 * KB, 80 * KB, 150 * KB, 300 * KB, 500 * KB),
    "disk": (0, 12 * KB, 40 * KB, 100 * KB, 200 * KB, 400 * KB, 600 * KB),
}
"""What is left: pages of the database, bytes that one file may have, bytes of a whole disk."""


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting is for root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize(("what", "room"), [(what, room) for what, rooms in ROOM.items() for room in rooms])
def test_a_run_whose_disk_is_full_stops_clearly_and_goes_on_when_there_is_room(children, tmp_path, request, what, room):
    path = (request.getfixturevalue("disk") if what == "disk" else tmp_path) / "runs.db"
    effects = tmp_path / "effects.txt"
    child = children.start("tests.stores.programs:fill_up", str(path), str(effects), what, room)
    assert child.wait() == 0, child.text()
    assert "{'x': 5004, 'y': 5004}" in child.text()
    assert "cannot be written" in (tmp_path / "effects.txt.full").read_text()
    nodes = fold(RUN_ID, SqliteStore(path).read(RUN_ID)).nodes
    assert Counter(node.status for node in nodes.values()) == {"DONE": N_NODES}
    ran = Counter(line.split()[0] for line in effects.read_text().splitlines())
    done_before = (tmp_path / "effects.txt.done").read_text().split()
    assert all(ran[node_id] == 1 for node_id in done_before), "a finished node ran again"
    n_again = ran.total() - N_NODES
    assert n_again <= SLOTS
    print(f"{what} {room}: stopped after {len(done_before)} of {N_NODES} nodes, {n_again} ran again")
