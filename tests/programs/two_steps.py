"""A pipeline of two steps: the second takes what the first gives."""

import asyncio

from graphrun_nb import graphify, run_async, tool


@tool(outputs=["rows"])
def load(text):
    return [line.split(",") for line in text.splitlines()]


@tool(outputs=["total"])
def total(rows):
    return sum(int(price) for _, price in rows)


@graphify("prices", inputs=["text"], outputs=["total"])
def prices(text):
    rows = load(text=text)
    return {"total": total(rows=rows.rows).total}


async def main():
    outputs = await run_async(prices, {"text": "tea,3\ncake,4\npot,12"})
    print(outputs)


if __name__ == "__main__":
    asyncio.run(main())
