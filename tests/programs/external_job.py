"""A job that somebody else does: it is handed a token, and calls back over HTTP with that when it is done."""

import asyncio
import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from graphrun_nb import DualStageTool, InvalidToken, graphify, resume, run, tool


def post(url, message):
    request = urllib.request.Request(url, json.dumps(message).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


class Callback(BaseHTTPRequestHandler):
    """Where the job's result comes in, on a thread of the server."""

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            said = {"accepted": resume(message["token"], message["result"]).node_id}
        except InvalidToken as error:
            said = {"refused": str(error)}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@tool(outputs=["rows", "file"])
class Export(DualStageTool):
    """Wait for the export of a table, and take what was told of it."""

    def setup(self, table):
        schema = {"type": "object", "properties": {"rows": {"type": "integer"}}, "required": ["rows"]}
        return {"kind": "export", "prompt": table, "schema": schema, "deadline": 60}

    def on_resume(self, resume, *, context):
        return {"rows": resume["rows"], "file": f"{context.inputs['table']}.csv"}


@graphify("report", inputs=["table"], outputs=["rows", "file"])
def report(table):
    rows, file = Export(table=table, _id="export")
    return {"rows": rows, "file": file}


def work(url, table, token):
    """What the other side does: some work, and then one call back."""
    print(post(url, {"token": token[::-1], "result": {"rows": 0}}))
    print(post(url, {"token": token, "result": {"rows": 10 * len(table)}}))


async def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    future = run(report, {"table": "orders"})
    while not future.waits:
        await asyncio.sleep(0.01)
    (wait,) = future.waits
    print(future.status.lower(), wait.kind)
    job = threading.Thread(target=work, args=(f"http://127.0.0.1:{server.server_port}", wait.prompt, wait.token))
    job.start()

    outputs = await future
    job.join()
    print(outputs)
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    asyncio.run(main())
