"""One list, a node for each of its elements, and one node that takes all they gave."""

import asyncio

from graphrun_nb import graphify, run, tool


@tool(outputs=["words"])
def split(text):
    return text.split()


@tool(outputs=["length"])
async def measure(word, unit):
    await asyncio.sleep(0.01)
    return len(word) * unit


@tool(outputs=["longest", "mean"])
def summarise(lengths):
    return {"longest": max(lengths), "mean": sum(lengths) / len(lengths)}


@graphify("words", inputs=["text"], outputs=["longest", "mean"])
def words(text):
    lengths = measure.map(word=split(text).words, unit=1)
    longest, mean = summarise(lengths.length)
    return {"longest": longest, "mean": mean}


async def main():
    future = run(words, {"text": "the quick brown fox jumps"}, max_concurrency=2)
    print(await future)
    for node in future.graph.nodes:
        print(node.node_id, node.status.lower())


if __name__ == "__main__":
    asyncio.run(main())
