"""Texts that do harm wherever they are taken for more than text, and what notices that they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

EVIL = "https://graphrun-evil.test"

MARKUP = (
    "<script>pwn()</script>",
    f"<script src={EVIL}/1.js></script>",
    "<img src=x onerror=pwn()>",
    f"<img src={EVIL}/2.png>",
    "<img/src=x/onerror=pwn()//",
    "<svg onload=pwn()>",
    "<svg><animate onbegin=pwn() attributeName=x dur=1s>",
    "<svg><script href=data:,pwn() />",
    "<svg><foreignObject><iframe srcdoc='<script>parent.pwn()</script>'>",
    "<iframe srcdoc='<script>top.pwn()</script>'></iframe>",
    f"<iframe src={EVIL}/3></iframe>",
    "<iframe src=javascript:top.pwn()>",
    "<body onload=pwn()>",
    "<details open ontoggle=pwn()>",
    "<input autofocus onfocus=pwn()>",
    "<video><source onerror=pwn()></video>",
    f"<link rel=stylesheet href={EVIL}/4.css>",
    f"<meta http-equiv=refresh content='0;url={EVIL}/5'>",
    f"<base href={EVIL}/>",
    f"<object data={EVIL}/6></object>",
    f"<form action={EVIL}/7><button autofocus>Send answer</button></form>",
    "<math><mtext><table><mglyph><style><img src onerror=pwn()>",
    "<style>.gr{display:none}</style>",
    f"<style>@import '{EVIL}/8.css';</style>",
    "<template><script>pwn()</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=pwn()>'>",
)
BREAKING_OUT = (
    "</script><script>pwn()</script>",
    "</pre></div><img src=x onerror=pwn()>",
    "</title><script>pwn()</script>",
    "</textarea><script>pwn()</script>",
    "--><script>pwn()</script><!--",
    "<!--<script>pwn()//-->",
    "]]><script>pwn()</script>",
    "<![CDATA[<script>pwn()</script>]]>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    '" onmouseover="pwn()" autofocus onfocus="pwn()',
    "' onerror='pwn()' src='x",
    "`-pwn()-`",
    '";pwn();//',
    "');pwn();//",
    "\\u003cscript>pwn()\\u003c/script>",
    "&lt;script&gt;pwn()&lt;/script&gt;",
    "&#60;img src=x onerror=pwn()&#62;",
    "&amp;lt;b&amp;gt;",
    "%3Cscript%3Epwn()%3C/script%3E",
    "\uff1cscript\uff1epwn()\uff1c/script\uff1e",
)
ADDRESSES = (
    "javascript:pwn()",
    "JaVaScRiPt:pwn()",
    "java\u00adscript:pwn()",
    "data:text/html,<script>top.pwn()</script>",
    "data:text/html;base64,PHNjcmlwdD50b3AucHduKCk8L3NjcmlwdD4=",
    f"//{EVIL.removeprefix('https://')}/9",
    f"{EVIL}/10?a=1&b=2#c",
    "file:///etc/passwd",
    "../../../etc/passwd",
)
TEMPLATES = (
    "{{constructor.constructor('pwn()')()}}",
    "${pwn()}",
    "<%= pwn() %>",
    "#{pwn()}",
    "{% import os %}{{ os.popen('id') }}",
    "{0.__class__.__mro__}",
    "%s%s%s%n",
    "[a](javascript:pwn())",
    f"![a]({EVIL}/11.png)",
    "<a href='javascript:pwn()'>a</a>",
    "$\\href{javascript:pwn()}{x}$",
    f"$$\\includegraphics{{{EVIL}/12}}$$",
    "`code` **bold** <u>u</u>",
    "=HYPERLINK(1)",
)
STYLES = (
    f"red;background:url({EVIL}/13)",
    "}*{display:none}",
    "expression(pwn())",
    "\\22\\7d\\2a\\7b display:none\\7d",
)
CHARACTERS = (
    "a\u202egnp.exe\u202c",
    "\u2066\u2067ab\u2069\u2069",
    "\u200e\u200f\u061cab",
    "zero\u200bwidth\u200djoined\ufeff",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "p\u0430yp\u0430l",
    "Z\u0351\u036b\u0343a\u0328\u0321l\u034eg\u0322o",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "null",
    "undefined",
    "NaN",
    "[object Object]",
    "__proto__",
    "constructor",
    "0",
    "' OR 1=1; DROP TABLE runs;--",
    "a" * 200,
    "\U0001d49c" * 100,
)
REFUSED_AS_NAMES = (
    "",
    "a" * 201,
    "x" * 100_000,
    "\x1b[31mred\x1b[0m\x1b]8;;https://graphrun-evil.test/14\x1b\\link",
    "\x00null",
    "two\nlines",
    "tab\tand\rreturn",
    "\x7f\x85\x9b31m",
    "\u2028line\u2029separators",
)
"""Text that no id and no name may be, and any value."""

NAMES = (*MARKUP, *BREAKING_OUT, *ADDRESSES, *TEMPLATES, *STYLES, *CHARACTERS)
STRINGS = (*NAMES, *REFUSED_AS_NAMES)

WITNESS = """
globalThis.pwned = 0;
globalThis.pwn = () => { top.pwned += 1; };
"""

INTRUDERS = """root => [...root.querySelectorAll("*")].filter(element => element.getAttribute("sandbox") !== "" && (
  ["SCRIPT", "IFRAME", "OBJECT", "EMBED", "BASE", "META", "LINK", "MARQUEE", "BODY", "TEMPLATE", "foreignObject"]
    .includes(element.tagName) && element.parentElement !== document.body
  || [...element.attributes].some(({ name, value }) => name.startsWith("on")
    || ["href", "src", "action", "formaction", "data"].includes(name) && /^\\s*(javascript|data:text)/i.test(value)))
).map(element => element.outerHTML.slice(0, 200))"""


@dataclass
class Witness:
    """Sees what happens in a page: calls of `pwn`, dialogs, and requests that leave for other places."""

    page: Page
    home: str
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._request(request.url))

    def _dialog(self, dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _request(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:")):
            self.requests.append(url)

    def assert_nothing_happened(self) -> None:
        """Also in frames, whose `pwn` tells the page."""
        assert self.page.evaluate("window.pwned") == 0
        assert (self.dialogs, self.requests) == ([], [])


def prepare(context: BrowserContext) -> None:
    """Have every page from now on count the calls of `pwn`, and answer no other host."""
    context.add_init_script(WITNESS)
    context.route(f"{EVIL}/**", lambda route: route.abort())
