"""Other engines, a file each; they are installed by the extra `bench` and needed by nobody else."""

from __future__ import annotations

PEERS = ("dask", "hamilton", "pydantic_graph", "langgraph", "aethergraph")
