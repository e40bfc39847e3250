"""Makes src/protocol.ts and src/status.ts from the Python definitions: ``python js/generate.py [--check]``."""

import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import NODEFAULT, Struct

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from graphrun_nb import protocols  # noqa: E402
from graphrun_nb.core import events, state  # noqa: E402
from graphrun_nb.core.status import NODE_STATUS, NodeStatus, RunStatus  # noqa: E402
from graphrun_nb.view import frames, look, recording  # noqa: E402

HEADER = "// Made by js/generate.py from {sources}. Do not edit: run `npm run generate`.\n"
UNIONS = {
    "Event": ("RunEvent", typing.get_args(events.Event)),
    "Frame": ("Frame", typing.get_args(frames.Frame)),
    "Look": ("Look", typing.get_args(look.Look)),
}
STRUCTS = (
    events.ValueRef,
    events.FrameInfo,
    events.ErrorInfo,
    events.NodeInfo,
    events.WaitInfo,
    state.OpenWait,
    protocols.Signal,
    *UNIONS["Event"][1],
    *UNIONS["Frame"][1],
    look.Branch,
    *UNIONS["Look"][1],
    frames.ValueView,
    frames.ValueLook,
    frames.ValueText,
    frames.NodeDetail,
    recording.Recording,
)
WIRE = (
    "flag",
    "jsonObject",
    "later",
    "list",
    "nullable",
    "number",
    "or",
    "struct",
    "table",
    "tagged",
    "text",
    "tuple",
    "union",
)
SCALARS = {str: ("string", "text"), int: ("number", "number"), float: ("number", "number"), bool: ("boolean", "flag")}


def is_union(hint: object) -> bool:
    """Tell whether `hint` is ``A | B``."""
    return isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union


def translate(hint: typing.Any) -> tuple[str, str]:  # noqa: PLR0911 (one return per kind of type)
    """Return the TypeScript type of a field and the expression of its reader."""
    if hint in SCALARS:
        return SCALARS[hint]
    if hint in (NodeStatus, RunStatus):
        return hint.__name__, f"read{hint.__name__}"
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint.__name__, f"read{hint.__name__}"
    args = typing.get_args(hint)
    if is_union(hint):
        inner = tuple(arg for arg in args if arg is not type(None))
        known = next((name for name, members in UNIONS.values() if set(inner) == set(members)), None)
        kind, reader = (known, f"read{known}") if known is not None else translate(*inner)
        return (kind, reader) if inner == args else (f"{kind} | null", f"nullable({reader})")
    if hint == dict[str, typing.Any]:
        return "JsonObject", "jsonObject"
    if typing.get_origin(hint) is dict:
        kind, reader = translate(args[1])
        return f"ReadonlyMap<string, {kind}>", f"table({reader})"
    if typing.get_origin(hint) is tuple and args[-1] is Ellipsis:
        kind, reader = translate(args[0])
        kind = f"({kind})" if " | " in kind or kind.startswith("readonly") else kind
        return f"readonly {kind}[]", f"list({reader})"
    if typing.get_origin(hint) is tuple:
        kinds, readers = zip(*map(translate, args), strict=True)
        return f"readonly [{', '.join(kinds)}]", f"tuple<readonly [{', '.join(kinds)}]>({', '.join(readers)})"
    raise TypeError(f"no TypeScript for {hint!r}: teach js/generate.py")


def default_of(field: msgspec.structs.FieldInfo) -> str | None:
    """Return a field's default as TypeScript, or None if it has none."""
    if field.default is NODEFAULT:
        return None
    if field.default == ():
        return "[]"
    return msgspec.json.encode(field.default).decode()


def struct(cls: type[Struct]) -> str:
    """Return the interface of a struct and its reader."""
    name = cls.__name__
    types_, readers = [], []
    reader_type, made_by = "Reader", f"struct<{name}>("
    if cls.__struct_config__.tag_field:
        tag = f'"{cls.__struct_config__.tag}"'
        types_.append(f"  readonly kind: {tag};")
        reader_type, made_by = "Tagged", f"tagged<{name}>({tag}, "
    for field in msgspec.structs.fields(cls):
        kind, reader = translate(field.type)
        reader = re.sub(rf"\bread{name}\b", f"later(() => read{name})", reader)
        default = default_of(field)
        if default is not None:
            reader = f"or({reader}, {default})"
        types_.append(f"  readonly {field.encode_name}: {kind};")
        readers.append(f"  {field.encode_name}: {reader},")
    return "\n".join(
        (
            f"export interface {name} {{",
            *types_,
            "}",
            f"export const read{name}: {reader_type}<{name}> = {made_by}{{",
            *readers,
            "});\n",
        )
    )


def union(name: str, members: tuple[type[Struct], ...]) -> str:
    """Return a discriminated union and its reader."""
    rows = "\n".join(f"  read{cls.__name__}," for cls in members)
    alternatives = "".join(f"\n  | {cls.__name__}" for cls in members)
    return (
        f"export type {name} ={alternatives};\nexport const read{name}: Reader<{name}> = union<{name}>(\n{rows}\n);\n"
    )


def parts() -> Iterator[str]:
    """Yield each struct, and each union after the last of its members: what a reader is made of comes before it."""
    left = dict(UNIONS)
    for i, cls in enumerate(STRUCTS, 1):
        yield struct(cls)
        for key, (name, members) in UNIONS.items():
            if key in left and set(members) <= set(STRUCTS[:i]):
                del left[key]
                yield union(name, members)


def protocol() -> str:
    """Return protocol.ts: one interface and one reader for each struct that travels to a view."""
    sources = "graphrun_nb/core/events.py, core/state.py, protocols.py, view/frames.py and view/recording.py"
    body = "\n".join(parts())
    names = ", ".join(word for word in WIRE if re.search(rf"\b{word}\b", body))
    return (
        HEADER.format(sources=sources)
        + f'import {{ type JsonObject, {names}, type Reader, type Tagged }} from "./wire";\n'
        + 'import { type RunStatus, readRunStatus } from "./status";\n\n'
        + f"export const PROTOCOL = {frames.PROTOCOL};\n\n"
        + body
    )


def status() -> str:
    """Return status.ts: the table of statuses."""

    def literal(value: object) -> str:
        return msgspec.json.encode(value).decode()

    def members(enum: type[NodeStatus] | type[RunStatus]) -> str:
        return ", ".join(literal(each.value) for each in enum)

    rows = "\n".join(
        f"  {row.status}: {{ word: {literal(row.word)}, terminal: {literal(row.terminal)}, "
        f"glyph: {literal(row.glyph)}, colour: {literal(row.colour)}, allows: new Set({literal(list(row.allows))}) }},"
        for row in NODE_STATUS.values()
    )
    codes = "\n".join(f"  {code}: {literal(each.value)}," for each, code in frames.STATUS_CODES.items())
    return (
        HEADER.format(sources="graphrun_nb/core/status.py and view/frames.py")
        + f"""import {{ oneOf }} from "./wire";

export const NODE_STATUSES = [{members(NodeStatus)}] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

export const RUN_STATUSES = [{members(RunStatus)}] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const readRunStatus = oneOf<RunStatus>(...RUN_STATUSES);

export interface StatusRow {{
  readonly word: string;
  readonly terminal: boolean;
  readonly glyph: string;
  readonly colour: string;
  readonly allows: ReadonlySet<string>;
}}

export const NODE_STATUS: Readonly<Record<NodeStatus, StatusRow>> = {{
{rows}
}};

export const STATUS_CODES: Readonly<Record<string, NodeStatus>> = {{
{codes}
}};
"""
    )


def main() -> int:
    """Write what is stale; with ``--check`` only say so."""
    stale = []
    for path, made in ((HERE / "src" / "protocol.ts", protocol()), (HERE / "src" / "status.ts", status())):
        if path.exists() and path.read_text() == made:
            continue
        stale.append(path.name)
        if "--check" not in sys.argv:
            path.write_text(made)
    if stale:
        print(f"{', '.join(stale)}: {'stale, run npm run generate' if '--check' in sys.argv else 'written'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
