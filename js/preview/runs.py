"""Made-up runs for the preview: logs of the real core, laid out by the real layout, as frames in JSON."""

import json
import random
import sys
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from graphrun_nb.core.events import (  # noqa: E402
    AttemptFailed,
    AttemptSucceeded,
    CancelRequested,
    ErrorInfo,
    Event,
    FrameInfo,
    NodeAdded,
    NodeInfo,
    NodeReset,
    RunResumed,
    ValueRef,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.policy import RetryPolicy  # noqa: E402
from graphrun_nb.view import frames  # noqa: E402
from graphrun_nb.view.layout import layout  # noqa: E402
from graphrun_nb.view.parts import groups_of, parts_of  # noqa: E402
from tests.golden.make import Script  # noqa: E402

PIPELINE = {
    "fetch_orders": "",
    "fetch_customers": "",
    "fetch_weather": "",
    "clean_orders": "fetch_orders",
    "clean_customers": "fetch_customers",
    "join": "clean_orders clean_customers",
    "features": "join fetch_weather",
    "split": "features",
    "train_linear": "split",
    "train_forest": "split",
    "train_gradient_boosting": "split",
    "evaluate": "train_linear train_forest train_gradient_boosting",
    "explain": "train_forest features",
    "approve": "evaluate",
    "publish_model": "approve",
    "notify_team": "publish_model explain",
}
SOURCE = '''@tool(outputs=["model"])
def train_gradient_boosting(table, rounds: int = 200):
    """Fit the boosted trees."""
    x, y = table.drop(columns="sales"), table["sales"]
    if y.isna().any():
        raise ValueError(f"{y.isna().sum()} missing values in 'sales'")
    return GradientBoostingRegressor(n_estimators=rounds).fit(x, y)
'''
ERROR = ErrorInfo(
    types=("builtins.ValueError", "builtins.Exception"),
    message="17 missing values in 'sales'",
    frames=(
        FrameInfo(
            "<ipython-input-7>", 12, "train_gradient_boosting", "    return fit_checked(table, rounds)", user=True
        ),
        FrameInfo(
            ".../site-packages/sklearn/base.py", 1365, "wrapper", "return fit_method(estimator, *args, **kwargs)"
        ),
        FrameInfo(".../site-packages/sklearn/utils/validation.py", 1289, "check_X_y", "y = _check_y(y)"),
        FrameInfo(
            "<ipython-input-7>", 6, "fit_checked", "    raise ValueError(f\"{n} missing values in 'sales'\")", user=True
        ),
    ),
    notes=("Hint: drop or impute rows without sales in clean_orders.",),
)
LONG = ErrorInfo(
    types=("pandas.errors.MergeError", "builtins.ValueError"),
    message="Merge keys are not unique in right dataset; not a many-to-one merge, "
    "on=['store_id', 'calendar_week', 'currency']",
    frames=(
        FrameInfo(
            "/home/somebody/projects/forecasting/notebooks/../src/forecasting/features/weather.py",
            1218,
            "join_weather",
            "    merged = orders.merge(weather, how='left', on=['store_id', 'calendar_week', 'currency'], "
            "validate='m:1', suffixes=('', '_weather'))",
            user=True,
        ),
        FrameInfo(".../site-packages/pandas/core/frame.py", 10832, "merge", "return merge("),
        FrameInfo(".../site-packages/pandas/core/reshape/merge.py", 184, "merge", "op = _MergeOperation("),
    ),
    notes=("Hint: weather has two rows for 14 of 8,412 (store, week) pairs; drop duplicates before the join.",),
    cause="KeyError: ('store_id', 'calendar_week')",
)
TIMEOUT = ErrorInfo(
    types=("builtins.TimeoutError", "builtins.Exception"), message="weather service did not answer in 5 s"
)
APPROVAL = WaitInfo(
    no=0, kind="approval", prompt="Publish the forest model (R² = 0.913)?", options=("Approve", "Reject")
)


SCHEMA: dict[str, object] = {
    "type": "object",
    "title": "Shipment",
    "$defs": {
        "Address": {
            "type": "object",
            "title": "Address",
            "properties": {"street": {"type": "string", "title": "Street"}, "zip": {"type": "string", "title": "Zip"}},
            "required": ["street"],
        },
        "Colour": {"enum": ["red", "green", "blue"], "title": "Colour", "type": "string"},
    },
    "properties": {
        "name": {"type": "string", "title": "Full name", "description": "As in the passport.", "minLength": 2},
        "age": {"type": "integer", "title": "Years", "minimum": 0, "maximum": 150},
        "share": {"anyOf": [{"type": "number"}, {"type": "null"}], "title": "Share", "default": None},
        "colour": {"$ref": "#/$defs/Colour"},
        "land": {"enum": ["Austria", "Denmark", "France", "Italy", "Spain"], "title": "Country"},
        "day": {"type": "string", "format": "date", "title": "Day"},
        "at": {"type": "string", "format": "date-time", "title": "Pick-up"},
        "time": {"type": "string", "format": "time", "title": "Not before"},
        "mail": {"type": "string", "format": "email", "title": "E-mail"},
        "insured": {"type": "boolean", "title": "Insured", "default": True},
        "note": {"type": "string", "title": "Note", "maxLength": 2000},
        "tags": {"type": "array", "items": {"type": "string"}, "title": "Tags", "default": ["fragile", "heavy"]},
        "extras": {"type": "array", "items": {"enum": ["gift", "express", "receipt"]}, "title": "Extras"},
        "to": {"$ref": "#/$defs/Address"},
        "back": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}], "title": "Return address"},
        "photo": {"type": "string", "contentEncoding": "base64", "title": "Photo"},
        "more": {"type": "object", "title": "More", "additionalProperties": {"type": "integer"}},
    },
    "required": ["name", "age", "colour", "day", "to"],
}


def info(node_id: str, needs: str, **rest: object) -> NodeInfo:
    return NodeInfo(node_id=node_id, name=node_id, needs=tuple(needs.split()), outputs=("out",), **rest)  # type: ignore[arg-type]


def finish(script: Script, *node_ids: str, after_s: float) -> None:
    done = (AttemptSucceeded(each, script.state.nodes[each].attempt, (ValueRef(preview="…"),)) for each in node_ids)
    script.turn(*done, after_s=after_s)


def fail(script: Script, node_id: str, error: ErrorInfo, *, after_s: float) -> None:
    script.turn(AttemptFailed(node_id, script.state.nodes[node_id].attempt, error), after_s=after_s)


def small() -> Script:
    script = Script((info("load", ""), info("transform", "load"), info("save", "transform")))
    finish(script, "load", after_s=0.42)
    return script


def pipeline(*, until: str) -> Script:
    nodes = [
        info(node_id, needs, max_attempts=3, kind="wait" if node_id == "approve" else "tool")
        for node_id, needs in PIPELINE.items()
    ]
    script = Script(tuple(nodes), retry=RetryPolicy(max_attempts=3, backoff_first_s=4.0), slots=4)
    finish(script, "fetch_orders", "fetch_customers", after_s=1.31)
    fail(script, "fetch_weather", TIMEOUT, after_s=0.6)
    finish(script, "clean_customers", after_s=0.31)
    finish(script, "clean_orders", after_s=0.84)
    finish(script, "join", after_s=0.48)
    script.turn(after_s=3.0)
    finish(script, "fetch_weather", after_s=2.2)
    finish(script, "features", after_s=6.4)
    finish(script, "split", after_s=0.09)
    if until == "training":
        fail(script, "train_linear", TIMEOUT, after_s=1.2)
        return script
    finish(script, "train_linear", after_s=1.9)
    finish(script, "train_forest", after_s=12.6)
    if until == "failed":
        for _ in range(3):
            fail(script, "train_gradient_boosting", ERROR, after_s=2.0)
            script.turn(after_s=9.0)
        finish(script, "explain", after_s=3.0)
        return script
    finish(script, "train_gradient_boosting", after_s=19.2)
    finish(script, "evaluate", after_s=0.7)
    script.turn(WaitOpened("approve", 1, APPROVAL), after_s=0.2)
    return script


def asking(*waits: WaitInfo) -> Script:
    asks = (info(f"ask_{i}", "prepare", kind="wait") for i in range(len(waits)))
    script = Script((info("prepare", ""), *asks), slots=9)
    finish(script, "prepare", after_s=0.3)
    for i, wait in enumerate(waits):
        script.turn(WaitOpened(f"ask_{i}", 1, wait), after_s=0.2)
    return script


def questions() -> Script:
    now = 1_700_000_000
    return asking(
        WaitInfo(no=0, kind="text", prompt="What is the report to be called?", deadline=now + 95.0),
        WaitInfo(no=0, kind="choice", prompt="Which model?", options=("linear", "forest", "boosting")),
        WaitInfo(
            no=0,
            kind="approval",
            prompt="Publish?\nIt cannot be taken back.",
            options=("Publish", "Keep"),
            deadline=now + 4000.0,
            on_deadline="default",
            default=ValueRef(preview="{'approved': False, 'choice': 'Keep'}"),
        ),
        WaitInfo(no=0, kind="files", prompt="The invoices, please"),
        WaitInfo(no=0, kind="event", name="paid"),
        WaitInfo(no=0, kind="review", prompt="What do you make of it?"),
    )


def many(n: int, *, share: float = 0.7, failing: float = 0.008, seed: int = 3) -> Script:
    chance = random.Random(seed)  # noqa: S311 (a picture)
    width = max(4, round(n**0.5 * 0.8))
    layers = [list(range(i, min(i + width, n))) for i in range(0, n, width)]
    nodes = []
    for depth, layer in enumerate(layers):
        for i in layer:
            near = layers[depth - 1] if depth else []
            at = i - layer[0]
            needs = {near[min(max(at + chance.choice((-1, 0, 0, 0, 1)), 0), len(near) - 1)] for _ in range(2) if near}
            nodes.append(info(f"step_{i:04}", " ".join(f"step_{each:04}" for each in sorted(needs))))
    script = Script(tuple(nodes), slots=16)
    n_ended = 0
    while n_ended < n * share:
        running = [node_id for node_id, node in script.state.nodes.items() if node.status == "RUNNING"]
        if not running:
            break
        some = running[: max(1, len(running) // 2)]
        bad = [each for each in some if chance.random() < failing]
        causes: list[Event] = [AttemptFailed(each, 1, ERROR) for each in bad]
        script.turn(*causes, *(AttemptSucceeded(each, 1) for each in some if each not in bad), after_s=0.2)
        n_ended += len(some)
    return script


def stranger() -> Script:
    """Make a run of 300 nodes of which one has failed and one asks something."""
    script = many(300, share=0.62, failing=0)
    nodes = script.state.nodes
    failed, *_, asking = [each for each in nodes if nodes[each].status == "RUNNING"]
    fail(script, failed, LONG, after_s=0.4)
    script.turn(WaitOpened(asking, 1, APPROVAL), after_s=0.3)
    while running := [each for each in nodes if nodes[each].status == "RUNNING"]:
        finish(script, *running, after_s=0.2)
    return script


def cancelled() -> Script:
    """Make a run that was cancelled after a failure."""
    script = pipeline(until="training")
    fail(script, "train_forest", ERROR, after_s=0.4)
    for _ in range(2):
        script.turn(after_s=9.0)
        fail(script, "train_forest", ERROR, after_s=0.4)
    script.turn(CancelRequested("view"), after_s=1.0)
    return script


def pauses() -> Script:
    """Make a run that waited an hour for a person, failed, and was retried after a minute."""
    script = Script(
        (
            info("load", ""),
            info("clean", "load"),
            info("approve", "clean", kind="wait"),
            info("fit", "approve"),
            info("report", "fit"),
        )
    )
    finish(script, "load", after_s=0.42)
    finish(script, "clean", after_s=0.9)
    script.turn(WaitOpened("approve", 1, APPROVAL), after_s=0.1)
    script.turn(WaitResolved("approve", 1, 0, ValueRef(preview="Approve"), "view"), after_s=3600.0)
    finish(script, "approve", after_s=0.05)
    fail(script, "fit", ERROR, after_s=0.8)
    script.turn(RunResumed("retry"), NodeReset("fit", "retry"), NodeReset("report", "retry"), after_s=65.0)
    finish(script, "fit", after_s=1.1)
    finish(script, "report", after_s=0.3)
    return script


def containers() -> Script:
    """Make a nested graph with a nested graph inside, a mapped node of 40, and groups."""
    nodes = (
        info("load", "", group="prepare"),
        info("clean", "load", group="prepare", labels=("slow",)),
        info("pages", "clean", group="prepare"),
        info("read", "pages", kind="map"),
        info("train", "clean", kind="graph"),
        info("train/split", "clean", parent="train"),
        info("train/search", "train/split", kind="graph", parent="train"),
        info("train/search/linear", "train/split", parent="train/search"),
        info("train/search/forest", "train/split", parent="train/search"),
        info("train/search/pick", "train/search/linear train/search/forest", parent="train/search"),
        info("train/fit", "train/search train/split", parent="train"),
        info("compare", "read train", group="publish"),
        info("upload", "compare", group="publish"),
    )
    script = Script(nodes, slots=6)
    for node_id in ("load", "clean", "pages"):
        finish(script, node_id, after_s=0.4)
    script.turn(*(NodeAdded(info(f"read[{i}]", "", parent="read")) for i in range(40)), after_s=0.1)
    for _ in range(8):
        running = [each for each in script.state.nodes if script.state.nodes[each].status == "RUNNING"]
        leaves = [each for each in running if script.state.nodes[each].info.kind == "tool"][:4]
        finish(script, *leaves, after_s=0.7)
    fail(
        script,
        next(
            each
            for each in script.state.nodes
            if script.state.nodes[each].status == "RUNNING" and each.startswith("read[")
        ),
        TIMEOUT,
        after_s=0.3,
    )
    return script


def elements(n: int = 3000) -> Script:
    """Make a mapped node with many elements, half of them done."""
    script = Script((info("items", ""), info("work", "items", kind="map"), info("report", "work")), slots=64)
    finish(script, "items", after_s=0.2)
    script.turn(*(NodeAdded(info(f"work[{i}]", "", parent="work")) for i in range(n)), after_s=0.1)
    while sum(node.status == "DONE" for node in script.state.nodes.values()) < n / 2:
        running = [each for each in script.state.nodes if script.state.nodes[each].status == "RUNNING"]
        finish(script, *(each for each in running if each != "work"), after_s=0.5)
    return script


def visits() -> Script:
    """Make a mapped node of which 3 of 200 failed."""
    script = Script((info("customers", ""), info("visit", "customers", kind="map"), info("report", "visit")), slots=300)
    finish(script, "customers", after_s=0.2)
    parts = [f"visit[{i}]" for i in range(200)]
    failed = [parts[i] for i in (17, 99, 150)]
    script.turn(*(NodeAdded(info(each, "", parent="visit")) for each in parts), after_s=0.1)
    finish(script, *(each for each in parts if each not in failed), after_s=0.6)
    for each in failed:
        fail(script, each, ERROR, after_s=0.1)
    message = f"3 of 200 parts of 'visit' failed: {', '.join(failed)}"
    fail(script, "visit", ErrorInfo(types=("graphrun_nb.errors.PartsFailed",), message=message), after_s=0.1)
    return script


def message(script: Script, graph: str) -> dict[str, object]:
    nodes = script.state.nodes
    batch = [(envelope.at, envelope.event) for envelope in script.log]
    batch[0] = (batch[0][0], msgspec.structs.replace(script.log[0].event, graph=graph))
    return {
        "graph": graph,
        "digest": script.state.digest(),
        "events": frames.to_builtins(frames.events_frame(1, batch)),
        "layouts": {inside: placed(script, inside) for inside in ("", *(node.info.parent for node in nodes.values()))},
        "source": SOURCE,
    }


@cache
def placed(script: Script, inside: str) -> dict[str, object]:
    parts, edges = parts_of(script.state, inside)
    return frames.to_builtins(
        frames.layout_frame(layout(parts, list(edges), groups=groups_of(script.state, parts)), parts, inside=inside)
    )


RUNS = {
    "small": lambda: message(small(), "three steps"),
    "training": lambda: message(pipeline(until="training"), "sales forecast"),
    "waiting": lambda: message(pipeline(until="waiting"), "sales forecast"),
    "failed": lambda: message(pipeline(until="failed"), "sales forecast"),
    "form": lambda: message(asking(WaitInfo(no=0, kind="form", prompt="Where to?", schema=SCHEMA)), "shipping"),
    "mixed": lambda: message(
        asking(
            WaitInfo(no=0, kind="form", prompt="Where to?", schema=SCHEMA),
            APPROVAL,
            WaitInfo(no=0, kind="text", prompt="What is the report to be called?"),
        ),
        "shipping",
    ),
    "questions": lambda: message(questions(), "six questions"),
    "many": lambda: message(many(300), "three hundred"),
    "huge": lambda: message(many(3000), "three thousand"),
    "vast": lambda: message(many(10_000, share=0.02), "ten thousand"),
    "stranger": lambda: message(stranger(), "nightly forecast"),
    "cancelled": lambda: message(cancelled(), "sales forecast"),
    "pauses": lambda: message(pauses(), "sales forecast"),
    "containers": lambda: message(containers(), "nested"),
    "visits": lambda: message(visits(), "visits"),
    "elements": lambda: message(elements(), "three thousand elements"),
}

if __name__ == "__main__":
    json.dump(RUNS[sys.argv[1]](), sys.stdout)
