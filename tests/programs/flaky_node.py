"""A download that fails twice, and is tried again."""

import asyncio

from graphrun_nb import GraphRunFailed, RetryPolicy, graphify, run, tool

ANSWERS = [ConnectionError("no route"), ConnectionError("reset"), "<html>"]


@tool(outputs=["page"])
def download(url, context):
    answer = ANSWERS[context.attempt - 1]
    if isinstance(answer, Exception):
        raise answer
    return answer


@graphify("fetch", inputs=["url"], outputs=["page"])
def fetch(url):
    return {"page": download(url=url).page}


async def main():
    patient = RetryPolicy(max_attempts=3, backoff_first_s=0.01, retry_on=(ConnectionError,))
    future = run(fetch, {"url": "http://127.0.0.1/"}, retry=patient)
    print(await future, future.node("download").attempts)

    impatient = RetryPolicy(max_attempts=2, backoff_first_s=0.01)
    try:
        await run(fetch, {"url": "http://127.0.0.1/"}, retry=impatient)
    except GraphRunFailed as error:
        print(error.failed_nodes, type(error.__cause__).__name__, error.__cause__)


if __name__ == "__main__":
    asyncio.run(main())
