/** What a question is answered with: a button for each option, or a form. */

import { h, plainButton, set } from "../dom";
import type { WaitInfo } from "../protocol";
import type { Json } from "../wire";
import { alertLine } from "./action";
import { answerFields } from "./form/answer";
import { formOf, type Taken } from "./form/form";
import { isShort } from "./wait";

export function controlsOf(wait: WaitInfo, label: string, send: (payload: Json) => Promise<Taken>): HTMLElement[] {
  if (wait.kind === "approval") return approval(wait, label, send);
  return [formOf({ label, button: "Send answer", fields: answerFields(wait), send, isShort: isShort(wait) })];
}

/** A button for each option. */
function approval({ options }: WaitInfo, label: string, send: (payload: Json) => Promise<Taken>): HTMLElement[] {
  const alert = alertLine();
  let under = false;
  const choose = async (choice: string): Promise<void> => {
    if (under) return;
    under = true;
    alert.say("");
    set(group, "data-sending", true);
    const { error } = await send({ choice });
    under = false;
    set(group, "data-sending", null);
    alert.say(error);
  };
  const buttons = (options.length > 0 ? options : ["Approve", "Reject"]).map((option, i) => {
    const look = i === 0 ? "gr-button gr-primary" : "gr-button";
    return plainButton({ class: look, on: { click: () => void choose(option) } }, option);
  });
  const group = h("div", { class: "gr-answers", role: "group", "aria-label": label }, ...buttons);
  return [group, alert.element];
}
