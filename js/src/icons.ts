/** The signs of the statuses, drawn in a box of 16 × 16, for the canvas and for the page alike. */

import type { NodeStatus } from "./status";

export interface Icon {
  /** The round body, or empty. */
  readonly body: string;
  /** What is drawn upon it with a stroke. */
  readonly mark: string;
  /** The body is filled with the colour of the status and the mark stands out from it. */
  readonly solid: boolean;
}

const DISC = "M8 1a7 7 0 1 1 0 14a7 7 0 0 1 0-14z";
const RING = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5z";

export const ICONS: Readonly<Record<NodeStatus, Icon>> = {
  PENDING: { body: RING, mark: "", solid: false },
  RUNNING: { body: RING, mark: "M6.6 5.6l3.8 2.4l-3.8 2.4z", solid: false },
  WAITING: { body: DISC, mark: "M6.1 6.4a1.95 1.95 0 1 1 2.85 1.75c-.6.32-.95.7-.95 1.4M8 11.5v.05", solid: true },
  RETRYING: { body: "", mark: "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.6 1.6v3h-3", solid: false },
  DONE: { body: DISC, mark: "M4.9 8.3l2.2 2.1l4-4.5", solid: true },
  FAILED: { body: DISC, mark: "M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8", solid: true },
  SKIPPED: { body: "", mark: "M3.8 4.5l3.5 3.5l-3.5 3.5M8.4 4.5l3.5 3.5l-3.5 3.5", solid: false },
  CANCELLED: { body: RING, mark: "M3.8 12.2l8.4-8.4", solid: false },
};
