import { expect, test } from "vitest";
import { Labels } from "../src/views/labels";

/** Every letter is 10 px wide at 10 px. */
const labels = new Labels(
  { font: "", measureText: (text: string) => ({ width: text.length * 100 }) } as unknown as CanvasRenderingContext2D,
  "sans-serif",
);
const inTwo = (text: string, letters: number): string[] => labels.inTwo(text, 10, letters * 10);

test.each([
  ["a name that fits stands in one line", "fetch", 5, ["fetch"]],
  ["a longer one is broken at its last joint that fits", "fetch_all_customers", 10, ["fetch_all_", "customers"]],
  ["what is too long even so ends in an ellipsis", "train_gradient_boosting", 8, ["train_", "gradien…"]],
  ["a blank at the break is not drawn", "per customer", 9, ["per", "customer"]],
  ["without a joint that fits it is cut as in one line", "standardisation_of", 6, ["stand…"]],
  ["a joint at the end breaks nothing off", "abcdefgh_", 6, ["abcde…"]],
])("%s", (_, text, letters, lines) => {
  expect(inTwo(text, letters)).toEqual(lines);
});
