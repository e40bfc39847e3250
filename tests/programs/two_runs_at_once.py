"""Two runs of one graph side by side, each with its own inputs, output and state."""

import asyncio

from graphrun_nb import graphify, run, run_async, tool


@tool(outputs=["n"])
async def step(name, n):
    print(f"{name} at {n}")
    await asyncio.sleep(0.01)
    return n + 1


@graphify("walk", inputs=["name"], outputs=["n"])
def walk(name):
    n = 0
    for i in range(3):
        n = step(name, n, _id=f"step {i}").n
    return {"n": n}


async def main():
    one, other = run(walk, {"name": "one"}), run(walk, {"name": "other"})
    print(await asyncio.gather(one, other), one.run_id != other.run_id)
    print([line.text for line in one.node("step 2").logs + other.node("step 2").logs])

    print(await asyncio.gather(*(run_async(walk, {"name": name}) for name in ("red", "blue"))))


if __name__ == "__main__":
    asyncio.run(main())
