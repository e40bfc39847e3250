/**
 * HTML that a value made of itself, as a document for a frame with an empty `sandbox`: no scripts, no forms, no pop-ups,
 * no refreshes. The policy in it keeps it from loading anything; what a click could still follow is taken out here.
 */

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'";
const DROPPED = "script, noscript, template, meta, base, link, iframe, frame, frameset, object, embed, form, portal";
/** Elements that change attributes of others as time goes by. */
const ANIMATED = "animate, animatemotion, animatetransform, set";
const LEADING = new Set([
  "src",
  "poster",
  "href",
  "xlink:href",
  "target",
  "ping",
  "action",
  "formaction",
  "srcdoc",
  "srcset",
  "background",
]);
const LOOK = "margin:6px;font:13px/1.45 system-ui,sans-serif;overflow-wrap:anywhere";

export function sandboxed(html: string, isDark: boolean): string {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const element of parsed.querySelectorAll(`${DROPPED}, ${ANIMATED}`)) element.remove();
  for (const element of parsed.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      const isInside = value.startsWith("#") || (name === "src" && value.startsWith("data:image/"));
      const leads = LEADING.has(name.toLowerCase()) && !isInside;
      if (leads || name.toLowerCase().startsWith("on")) element.removeAttribute(name);
    }
  }
  const styles = [...parsed.querySelectorAll("style")].filter((each) => each instanceof HTMLStyleElement);
  const sheets = styles.map((each) => (each.media ? `@media ${each.media}{${each.textContent}}` : each.textContent));
  for (const each of styles) each.remove();
  const scheme = isDark ? "dark" : "light";
  return [
    "<!doctype html>",
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<style>:root{color-scheme:${scheme}}body{${LOOK}}table{border-collapse:collapse}td,th{padding:2px 7px}</style>`,
    ...sheets.map((css) => `<style>${css.replaceAll("</", "<\\/")}</style>`),
    new XMLSerializer().serializeToString(parsed.body),
  ].join("");
}
