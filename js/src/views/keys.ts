/** The keyboard on the graph: arrows along edges and ranks, + − 0 for the camera, `.` to what needs somebody, Enter and
 * Backspace into containers and out. */

export interface Keys {
  zoom(factor: number): void;
  fit(): void;
  problem(): void;
  /** Looks into the selected container; false if the selected node is none. */
  open(): boolean;
  /** Looks at what is around; false if nothing is. */
  leave(): boolean;
  /** Closes or opens a group; false without one. */
  group(): boolean;
  /** Follows an arrow, Home or End. */
  go(key: string): void;
}

const ZOOM_STEP = 1.25;
const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

export function keys(element: HTMLElement, act: Keys, signal: AbortSignal): void {
  const actions: Readonly<Record<string, () => unknown>> = {
    "+": () => act.zoom(ZOOM_STEP),
    "=": () => act.zoom(ZOOM_STEP),
    "-": () => act.zoom(1 / ZOOM_STEP),
    "0": () => act.fit(),
    ".": () => act.problem(),
    g: () => act.group(),
    Enter: () => act.open(),
    Backspace: () => act.leave(),
    Escape: () => act.leave(),
  };
  const down = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action !== undefined) {
      if (action() === false) return;
    } else if (MOVES.has(event.key)) act.go(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  element.addEventListener("keydown", down, { signal });
}
