"""Two branches, of which one runs; and a node that takes what there is."""

import asyncio

from graphrun_nb import graphify, run, tool


@tool(outputs=["score"])
def rate(text):
    return text.count("!")


@tool(outputs=["reply"])
def calm(text):
    return f"There, there: {text!r}"


@tool(outputs=["reply"])
def thank(text):
    return "Thank you."


@graphify("answers", inputs=["text"], outputs=["calming", "thanks"])
def answers(text):
    score = rate(text).score
    excited = {"op": "gt", "left": score, "right": 2}
    return {
        "calming": calm(text, _condition=excited).reply,
        "thanks": thank(text, _condition={"op": "not", "value": excited}).reply,
    }


async def main():
    for text in ("Nice.", "Help!!!"):
        future = run(answers, {"text": text})
        print(await future)
        print({node.node_id: node.status.lower() for node in future.graph.nodes})


if __name__ == "__main__":
    asyncio.run(main())
