"""Nodes that pass no values, and yet run one after the other."""

import asyncio

from graphrun_nb import graph, run_async, tool


@tool(outputs=[])
def create_table():
    print("table created")


@tool(outputs=[])
def fill_table(name):
    print(f"filled from {name}")


@tool(outputs=[])
def build_index():
    print("index built")


with graph(name="setup") as setup:
    created = create_table()
    first = fill_table("orders", _id="orders", _after=created)
    second = fill_table("clients", _id="clients", _after=first)
    build_index(_after=[first, "clients"])


async def main():
    outputs = await run_async(setup)
    print(outputs)


if __name__ == "__main__":
    asyncio.run(main())
