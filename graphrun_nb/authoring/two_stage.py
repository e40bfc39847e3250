"""Tools in two stages with a wait in between: what comes before the wait is not run again when the answer is there."""

from __future__ import annotations

import functools
import hashlib
import inspect
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.signature import CONTEXT, code_fingerprint, signature_of, source_of
from graphrun_nb.core.spec import closest
from graphrun_nb.errors import BadWait, GraphRunError, Misuse
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

_STAGES = ("setup", "on_resume")
_QUESTION = ("kind", "prompt", "schema", "options", "deadline", "on_deadline", "default")
_PLAIN = (str, int, float, bool, bytes, type(None))


class DualStageTool:
    """Base of tools that ask something halfway: write ``@tool(outputs=[...])`` above the subclass.

    ``setup(self, <inputs>, *, context)`` returns the arguments of `NodeContext.wait` as a dict; without ``kind`` it is
    ``form`` if there is a schema, else ``input``. ``on_resume(self, resume, *, context)`` gets the checked answer and
    returns the outputs.

    Each may be sync (it then runs in a thread) or async, and may leave ``context`` out. Each runs on an instance of its
    own, made without arguments: the second knows the first by the answer and by ``context.inputs`` alone.

    Examples
    --------
    >>> from graphrun_nb import tool
    >>> @tool(outputs=["paid"])
    ... class Pay(DualStageTool):
    ...     def setup(self, amount):
    ...         return {"kind": "approval", "prompt": f"Pay {amount}?"}
    ...     def on_resume(self, resume):
    ...         return {"paid": resume["approved"]}
    >>> Pay
    <tool Pay(amount) -> paid>
    """


class TwoStage:
    """A subclass of `DualStageTool` as the function of its nodes; both stages can be run by themselves.

    Raises
    ------
    TypeError
        A stage is missing or is no plain method, or instances need arguments.
    """

    def __init__(self, stages: type[DualStageTool]) -> None:
        _check(stages)
        self.stages = stages
        self.__name__ = stages.__name__
        self.__qualname__ = stages.__qualname__
        self.__module__ = stages.__module__
        self.__doc__ = stages.__doc__
        self.__wrapped__ = stages if source_of(stages)[0] else getattr(stages, _STAGES[0])
        parameters = list(inspect.signature(getattr(stages, _STAGES[0])).parameters.values())[1:]
        taken = signature_of(_unbound(stages, _STAGES[0]), None).context
        rest = [each for each in parameters if each.name != taken]
        injected = inspect.Parameter(CONTEXT, inspect.Parameter.KEYWORD_ONLY)
        at = next((i for i, each in enumerate(rest) if each.kind is each.VAR_KEYWORD), len(rest))
        self.__signature__ = inspect.Signature([*rest[:at], injected, *rest[at:]])

    async def __call__(self, *, context: Any, **inputs: Any) -> Any:
        """Run both stages and the wait between them, and return the outputs."""
        asked = context.asked_before()
        if asked is None:
            question = await self.setup(context=context, **inputs)
            asked = context.wait(question.pop("kind"), **question)
        return await self.on_resume(await asked, context=context)

    async def setup(self, *, context: Any, **inputs: Any) -> dict[str, Any]:
        """Run the first stage, and return the arguments of `NodeContext.wait`.

        Raises
        ------
        BadWait
            It returned something else.
        """
        returned = await self._run(_STAGES[0], (), inputs, context)
        where = f"setup of {self.__name__} returned"
        if not isinstance(returned, dict):
            raise BadWait(
                f"{where} a {type(returned).__name__}, and a dict says what to ask",
                hints=("for example return {'kind': 'approval', 'prompt': 'Go on?'}",),
            )
        for key in returned:
            if key not in _QUESTION:
                hint = closest(str(key), _QUESTION) or f"a question has: {', '.join(_QUESTION)}"
                raise BadWait(f"{where} {key!r}, which no question has", hints=(hint,))
        return {"kind": "input" if returned.get("schema") is None else "form", **returned}

    async def on_resume(self, resume: Any, *, context: Any) -> Any:
        """Run the second stage with the checked answer, and return the outputs."""
        return await self._run(_STAGES[1], (resume,), {}, context)

    def fingerprint(self, version: str) -> str:
        """Return 16 hex digits for what the class does: its methods and plain attributes, and those of its bases."""
        digest = hashlib.sha256(version.encode())
        for owner in inspect.getmro(self.stages):
            if owner in (DualStageTool, object):
                continue
            for name, value in sorted(vars(owner).items()):
                if inspect.isfunction(value):
                    digest.update(f"\0{name}:{code_fingerprint(value, version)}".encode())
                elif isinstance(value, _PLAIN) and not name.startswith("__"):
                    digest.update(f"\0{name}={value!r}".encode())
        return digest.hexdigest()[:16]

    async def _run(self, stage: str, args: tuple[Any, ...], inputs: dict[str, Any], context: Any) -> Any:
        taken = signature_of(_unbound(self.stages, stage), None).context
        method = getattr(self.stages(), stage)
        call = functools.partial(method, *args, **inputs, **({taken: context} if taken else {}))
        if inspect.iscoroutinefunction(method):
            return await call()
        if hooks.runner is None:
            raise GraphRunError(f"nothing here can run the tool {self.__name__!r}", hints=("import graphrun_nb",))
        return await hooks.runner.in_thread(call)


def _unbound(stages: type[DualStageTool], stage: str) -> Callable[..., Any]:
    """Return a stage without its `self`."""
    return functools.partial(getattr(stages, stage), None)


def _check(stages: type[DualStageTool]) -> None:
    name = stages.__name__
    for stage, shape in zip(_STAGES, ("self, <inputs>, *, context", "self, resume, *, context"), strict=True):
        if not inspect.isfunction(inspect.getattr_static(stages, stage, None)):
            raise Misuse(
                f"the tool {name!r} has no method {stage!r}, and a DualStageTool has both stages",
                code="tool_without_stage",
                hints=(f"write def {stage}({shape}): …, or async def",),
            )
    try:
        inspect.signature(stages).bind()
    except TypeError as error:
        raise Misuse(
            f"the tool {name!r} needs arguments to be made: {error}",
            code="tool_without_stage",
            hints=("each stage gets a new instance, made without arguments; take inputs in setup",),
        ) from None
