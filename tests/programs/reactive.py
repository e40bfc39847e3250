"""A function that decides as it goes: each call of a tool is a node of its run."""

import asyncio

from graphrun_nb import NodeContext, graph_fn, run, tool


@tool(outputs=["guess"])
async def guess(low, high):
    return (low + high) // 2


@tool(outputs=["verdict"])
def compare(number, secret):
    return "right" if number == secret else "low" if number < secret else "high"


@graph_fn(name="search", outputs=["number", "questions"])
async def search(secret, high, context: NodeContext):
    low, questions = 0, 0
    while True:
        number = (await guess(low=low, high=high))["guess"]
        questions += 1
        match compare(number=number, secret=secret)["verdict"]:
            case "right":
                context.logger.info("found after %d questions", questions)
                return {"number": number, "questions": questions}
            case "low":
                low = number + 1
            case "high":
                high = number - 1


async def main():
    print(await search(secret=71, high=100))
    future = run(search, {"secret": 24, "high": 100})
    print(await future)
    print([node.node_id for node in future.graph.nodes])
    print(future.node("search").logs[-1].text)


if __name__ == "__main__":
    asyncio.run(main())
