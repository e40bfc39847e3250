/** Colours that programs write for terminals, read into pieces of text; every other escape sequence is taken away. */

export interface Piece {
  readonly text: string;
  /** 0 to 7 as terminals count colours, or null for none. */
  readonly colour: number | null;
  readonly bold: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const SEQUENCE = /\u001b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would not show either
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

export function pieces(line: string): readonly Piece[] {
  const found: Piece[] = [];
  let style: Omit<Piece, "text"> = { colour: null, bold: false };
  let from = 0;
  const add = (until: number): void => {
    const text = line.slice(from, until).replace(UNSEEN, "");
    if (text !== "") found.push({ text, ...style });
  };
  for (const sequence of line.matchAll(SEQUENCE)) {
    add(sequence.index);
    from = sequence.index + sequence[0].length;
    if (sequence[2] === "m") style = styled(style, sequence[1] ?? "");
  }
  add(line.length);
  return found;
}

function styled(before: Omit<Piece, "text">, codes: string): Omit<Piece, "text"> {
  let { colour, bold } = before;
  const numbers = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i] ?? 0;
    if (code === 0) [colour, bold] = [null, false];
    else if (code === 1) bold = true;
    else if (code === 22) bold = false;
    else if (code === 39) colour = null;
    else if (code === 38 || code === 48) i += numbers[i + 1] === 5 ? 2 : 4;
    else if (code >= 30 && code <= 37) colour = code - 30;
    else if (code >= 90 && code <= 97) colour = code - 90;
  }
  return { colour, bold };
}
