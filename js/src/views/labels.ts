/** Cuts text to a width without measuring it again and again: widths are kept at one size and scaled. */

const BASE_PX = 100;
const MAX_KEPT = 20_000;

export class Labels {
  readonly #widths = new Map<string, number>();

  constructor(
    private readonly context: CanvasRenderingContext2D,
    readonly family: string,
  ) {}

  /** `text`, or as much of its beginning as fits `width` px at `size` px, with an ellipsis. */
  cut(text: string, size: number, width: number, weight = 400): string {
    const full = this.width(text, size, weight);
    if (full <= width) return text;
    const keep = Math.floor((text.length * (width - size * 0.8)) / full);
    return keep < 1 ? "" : `${text.slice(0, keep).trimEnd()}…`;
  }

  /** `text` in one line, or where that is too long in two, broken at the last joint that fits: `_`, `-`, `.`, `/`, a blank. */
  inTwo(text: string, size: number, width: number, weight = 400): string[] {
    if (this.width(text, size, weight) <= width) return [text];
    const heads = [...text.matchAll(/[_\-./ ](?=.)/g)].map(({ index }) => text.slice(0, index + 1));
    const head = heads.findLast((each) => this.width(each, size, weight) <= width) ?? "";
    const rest = this.cut(text.slice(head.length), size, width, weight);
    return head === "" ? [rest] : [head.trimEnd(), rest];
  }

  width(text: string, size: number, weight = 400): number {
    const key = `${weight} ${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      if (this.#widths.size > MAX_KEPT) this.#widths.clear();
      this.context.font = this.font(BASE_PX, weight);
      width = this.context.measureText(text).width;
      this.#widths.set(key, width);
    }
    return (width * size) / BASE_PX;
  }

  font(size: number, weight = 400): string {
    return `${weight} ${size}px ${this.family}`;
  }
}
