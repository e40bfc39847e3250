"""What a graph is made of, before it runs; and what happened, afterwards."""

import asyncio

from graphrun_nb import graphify, list_runs, run, tool


@tool(outputs=["total"])
def add(a, b):
    print(f"adding {a} and {b}")
    return a + b


@graphify("sums", inputs={"x": 1}, outputs=["y"])
def sums(x):
    first = add(a=x, b=1, _id="first", _labels=["cheap"])
    return {"y": add(a=first.total, b=10, _id="second").total}


async def main():
    built = sums.build()
    print(built, sums.io())
    print(built.topological_order(), built.edges(), built.upstream("second"), built.select("#cheap"))
    print(built.pretty())

    future = run(built, {"x": 5}, run_id="inspected")
    print(await future)
    print(future.run_id, future.status.value, future.graph.status.value)
    for node in future.graph.nodes:
        print(node.node_id, node.status.value, node.attempts, dict(node.inputs), dict(node.outputs), node.error)
        print([line.text for line in node.logs], node.duration_s < 10)
    print([type(each.event).__name__ for each in future.events][:3], len(future.events))
    print([(row.run_id, row.graph, row.status.value) for row in list_runs()][:1])


if __name__ == "__main__":
    asyncio.run(main())
