"""A question of a node, checked before anybody sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import WaitInfo
from graphrun_nb.core.ids import is_name
from graphrun_nb.core.spec import closest
from graphrun_nb.engine.answers import DEFAULT_OPTIONS, checker
from graphrun_nb.engine.deadline import instant
from graphrun_nb.engine.schemas import read_schema
from graphrun_nb.errors import BadWait, PayloadRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphrun_nb.core.events import ValueRef
    from graphrun_nb.engine.deadline import When

MAX_BYTES = 48 * 1024
"""Of a question in the log, which keeps an event below 64 kB."""

ON_DEADLINE = ("fail", "default")
_OF_ITS_OWN = {
    "until": "write: await context.sleep_until(when)",
    "event": "write: await context.wait_event(name)",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a node asks.

    Attributes
    ----------
    check
        Gives the value of a payload, or raises PayloadRejected.
    default
        The value that counts at the deadline, where ``on_deadline="default"``.
    default_payload
        What that was made of.
    name
        Of the event that answers it, or empty.
    """

    kind: str
    check: Callable[[Any], Any]
    prompt: str = ""
    schema: dict[str, Any] | None = None
    options: tuple[str, ...] = ()
    deadline: float | None = None
    on_deadline: str = "fail"
    default: Any = None
    default_payload: Any = None
    name: str = ""

    @classmethod
    def recalled(cls, info: WaitInfo, fetch: Callable[[ValueRef], Any]) -> Question:
        """Return what was asked earlier; `fetch` gives what was kept, or raises LookupError.

        A pydantic model is known by its JSON schema alone, so that the value of an answer is plain data.
        """
        schema, check = checker(info.kind, info.options)
        if info.schema is not None and info.schema != schema:
            check = read_schema(info.schema)[1]
        payload = None if info.default is None else fetch(info.default)
        return cls(
            info.kind,
            check,
            info.prompt,
            info.schema,
            info.options,
            info.deadline,
            info.on_deadline,
            None if info.default is None else check(payload),
            payload,
            info.name,
        )

    def info(self, no: int, token_digest: str, default: ValueRef | None) -> WaitInfo:
        """Return what the log keeps of it, as wait `no` of its attempt, whose default answer is kept as `default`.

        Raises
        ------
        BadWait
            It is too large to be kept, or cannot be.
        """
        info = WaitInfo(
            no=no,
            kind=self.kind,
            prompt=self.prompt,
            schema=self.schema,
            options=self.options,
            token_digest=token_digest,
            deadline=self.deadline,
            on_deadline=self.on_deadline,
            default=default,
            name=self.name,
        )
        try:
            n_bytes = len(msgspec.json.encode(info))
        except UnicodeEncodeError as error:
            raise BadWait(f"the question cannot be written: {error}", hints=("leave lone surrogates out",)) from error
        if n_bytes > MAX_BYTES:
            raise BadWait(
                f"the question takes {n_bytes:,} bytes, and at most {MAX_BYTES:,} are kept",
                hints=("shorten the prompt, the options or the schema",),
            )
        return info


def question(
    kind: str,
    *,
    now: float,
    prompt: str = "",
    schema: Any = None,
    options: Sequence[str] = (),
    deadline: When | None = None,
    on_deadline: str = "fail",
    default: Any = ...,
    name: str = "",
) -> Question:
    """Return the question that a node asks at `now` (Unix seconds); parameters as for `NodeContext.wait`.

    Raises
    ------
    BadWait
        It cannot be asked.
    """
    if not is_name(kind):
        raise BadWait(
            f"kind is a word, not {kind!r}", hints=("approval, text, choice, form, files, or one of your own",)
        )
    if kind in _OF_ITS_OWN and not name:
        raise BadWait(f"waits of kind {kind!r} have a call of their own", hints=(_OF_ITS_OWN[kind],))
    if not isinstance(prompt, str):
        raise BadWait(f"prompt is a text, not {prompt!r}", hints=("write prompt=str(...)",))
    if on_deadline not in ON_DEADLINE:
        guess = closest(str(on_deadline), ON_DEADLINE)
        raise BadWait(f"on_deadline is 'fail' or 'default', not {on_deadline!r}", hints=(guess,) if guess else ())
    choices = _options(kind, options)
    if schema is None:
        json_schema, check = checker(kind, choices)
    else:
        json_schema, check = read_schema(schema)
    due = None if deadline is None else instant(deadline, now, name="deadline")
    has_default = on_deadline == "default"
    value = _default(check, default) if has_default else None
    payload = default if has_default else None
    return Question(kind, check, prompt, json_schema, choices, due, on_deadline, value, payload, name)


def pause(when: When, now: float) -> Question:
    """Return the wait that nobody can answer, and that is over at `when`; raises BadWait for what is no instant."""

    def check(payload: Any) -> Any:
        raise AssertionError(payload)  # a wait without a token is not answered

    return Question("until", check, deadline=instant(when, now, name="when"), on_deadline="default")


def _options(kind: str, options: Sequence[str]) -> tuple[str, ...]:
    if isinstance(options, str) or not all(isinstance(each, str) for each in options):
        raise BadWait(f"options is a list of texts, not {options!r}", hints=("options=['Yes', 'No'], for example",))
    if len(set(options)) != len(options):
        raise BadWait(f"two options are alike: {list(options)!r}", hints=("nobody could tell which was chosen",))
    return tuple(options) or (DEFAULT_OPTIONS if kind == "approval" else ())


def _default(check: Callable[[Any], Any], default: Any) -> Any:
    if default is ...:
        raise BadWait("on_deadline='default' needs the answer that then counts", hints=("give it as default=...",))
    try:
        return check(default)
    except PayloadRejected as refused:
        error = BadWait(f"default= does not fit its own question: {refused}", hints=refused.hints)
        raise error from refused
