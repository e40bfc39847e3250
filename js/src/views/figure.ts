/** A picture that fits into the panel, and at full size above everything else on request. */

import { h, plainButton } from "../dom";

export function figure(src: string, name: string): HTMLElement {
  const alt = `${name}, as it shows itself`;
  const small = plainButton(
    {
      class: "gr-figure",
      "aria-label": `Show ${name} at full size`,
      title: "Show at full size",
      on: { click: enlarge },
    },
    h("img", { class: "gr-image", alt, src }),
  );
  const element = h("div", {}, small);

  function enlarge(): void {
    const close = plainButton({ class: "gr-close", "aria-label": "Close", title: "Close (Esc)", autofocus: true }, "×");
    const large = h(
      "dialog",
      {
        class: "gr-large",
        "aria-label": `${name} at full size`,
        on: {
          click: () => large.close(),
          close: () => large.remove(),
          keydown: (event) => event.stopPropagation(), // Escape closes this and nothing behind it
        },
      },
      h("div", { class: "gr-large-head" }, h("strong", {}, name), close),
      h("img", { alt, src }),
    );
    element.append(large);
    large.showModal();
  }

  return element;
}
