/** The values of a node, each at first glance and, on request, whole. */

import { fill, h, plainButton, say } from "../dom";
import type { Link } from "../link";
import { readValueLook, readValueText, type ValueView } from "../protocol";
import type { Json } from "../wire";
import { copyButton, errorText } from "./action";
import { lookElement } from "./looks";

const MAX_PIECES = 20;

export type Side = "inputs" | "outputs";

export interface ValuesOf {
  readonly link: Link;
  readonly nodeId: string;
  readonly side: Side;
}

export function valuePanel(values: readonly ValueView[], of: ValuesOf): HTMLElement {
  return h("div", { class: "gr-values" }, ...values.map((each) => valueElement(each, of)));
}

function valueElement(value: ValueView, of: ValuesOf): HTMLElement {
  const { name, type, size, text, truncated, look, is_rich: isRich } = value;
  const body = h("div", { class: "gr-value-body" });
  const note = h("p", { class: "gr-note", "aria-live": "polite", hidden: true });
  const glance = h("div", {}, plain(value));
  fill(body, glance, note);
  const isPart = truncated || look !== null;
  const isLive = of.link.contact.peek() === "live";
  const tell = (said: string): void => {
    say(note, said);
    note.hidden = said === "";
  };

  const element = h("div", { class: "gr-value", role: "group", "aria-label": name });
  if (look !== null) fill(glance, lookElement(look, name, false));
  else if (isRich && isLive) void show();

  /** Puts the picture or HTML that the value makes of itself in place of its text. */
  async function show(): Promise<void> {
    const reply = await of.link.send({ kind: "look", node_id: of.nodeId, side: of.side, name }).reply;
    const found = reply.data === null ? null : readValueLook(reply.data);
    if (found !== null && found.look !== null) {
      const isDark = element.closest<HTMLElement>(".gr")?.dataset["theme"] === "dark";
      fill(glance, lookElement(found.look, name, isDark));
    } else tell(reply.error === "" ? (found?.problem ?? "") : errorText(reply));
  }

  async function whole(heard: (piece: string) => void): Promise<string> {
    let all = "";
    let start = 0; // in characters, as Python counts them
    for (let i = 0; i < MAX_PIECES; i++) {
      const command = { kind: "value", node_id: of.nodeId, side: of.side, name, start } as const;
      const reply = await of.link.send(command).reply;
      if (reply.error !== "" || reply.data === null) {
        tell(errorText(reply));
        break;
      }
      const piece = readValueText(reply.data as { readonly [name: string]: Json });
      all += piece.text;
      start += [...piece.text].length;
      heard(piece.text);
      const cut = piece.is_cut ? "; what is longer can be had in a cell" : "";
      tell(`${piece.total.toLocaleString("en")} characters${cut}`);
      if (piece.text === "" || start >= piece.total) break;
    }
    return all;
  }

  const code = h("pre", { class: "gr-code gr-whole", tabindex: 0 });
  const more = plainButton({ class: "gr-copy", "aria-expanded": "false", on: { click: toggle } }, "Show all");
  more.setAttribute("aria-label", `Show all of ${name}`);
  function toggle(): void {
    const opens = more.getAttribute("aria-expanded") === "false";
    more.setAttribute("aria-expanded", String(opens));
    more.setAttribute("aria-label", `Show ${opens ? "less" : "all"} of ${name}`);
    say(more, opens ? "Show less" : "Show all");
    tell("");
    fill(code);
    fill(body, opens ? code : glance, note);
    if (opens) void whole((piece) => code.append(piece));
  }

  const copied = isPart && isLive ? () => whole(() => undefined) : () => text;
  fill(
    element,
    h(
      "div",
      { class: "gr-value-head" },
      h("span", { class: "gr-value-name" }, name),
      h("span", { class: "gr-type", title: `${type} ${size}` }, size === "" ? type : `${type} · ${size}`),
      h(
        "span",
        { class: "gr-value-actions" },
        isPart && isLive ? more : null,
        copyButton(`Copy ${name}`, copied, "Copy"),
      ),
    ),
    body,
  );
  return element;
}

function plain({ text }: ValueView): HTMLElement {
  return h("pre", { class: "gr-code" }, text);
}
