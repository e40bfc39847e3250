"""A run that asks before it pays; the answer comes from the program, by node or by token."""

import asyncio

from graphrun_nb import AlreadyResumed, GraphHasPendingWaits, graphify, resume, run, run_async, tool
from graphrun_nb.tools import ask_approval


@tool(outputs=["receipt"])
def pay(amount):
    return f"paid {amount}"


@graphify("payment", inputs=["amount"], outputs=["receipt", "choice"])
def payment(amount):
    answer = ask_approval(prompt="Pay?", options=("Pay", "Keep"), _id="approve")
    return {"receipt": pay(amount=amount, _condition=answer.approved).receipt, "choice": answer.choice}


async def main():
    # Answered by node, even before the question is there.
    future = run(payment, {"amount": 5})
    future.resume("approve", {"approved": True})
    print(await future)

    # Answered by token; whoever comes later is told so.
    future = run(payment, {"amount": 500})
    while not future.waits:
        await asyncio.sleep(0.01)
    (question,) = future.waits
    print(question.prompt, question.kind, future.status.lower())
    print(resume(question.token, "Keep").node_id)
    try:
        resume(question.token, "Pay")
    except AlreadyResumed as error:
        print(error)
    print(await future)

    # Nobody there to answer: the caller may go on without the outputs, and ask for them later.
    waiting = await run_async(payment, {"amount": 50}, on_wait="return")
    print(waiting["status"], waiting["waiting_nodes"])
    resume(waiting["continuations"][0].token, True)
    print(await run_async(payment, {"amount": 50}, run_id=waiting["run_id"]))
    try:
        await run_async(payment, {"amount": 50}, on_wait="raise")
    except GraphHasPendingWaits as error:
        print(error.waiting_nodes, [wait.prompt for wait in error.continuations])


if __name__ == "__main__":
    asyncio.run(main())
