"""What holds for every executor of this package."""

import pytest

from graphrun_nb.executors import make_executor
from graphrun_nb.testing import ExecutorConformance


class TestLoop(ExecutorConformance):
    on_the_loop = True

    def make_executor(self):
        return make_executor("loop")


class TestThread(ExecutorConformance):
    def make_executor(self):
        return make_executor("thread")


class TestProcess(ExecutorConformance):
    shares_process = False

    def make_executor(self):
        return make_executor("process")


class TestDask(ExecutorConformance):
    shares_process = False

    @pytest.fixture(autouse=True)
    def _cluster(self, dask_cluster):
        self.address = dask_cluster

    def make_executor(self):
        from graphrun_nb.executors.dask import DaskExecutor

        return DaskExecutor(self.address)
