import { NOW } from "./fixtures.mjs";

/** A moment so many milliseconds ago. */
export const at = (ms) => new Date(NOW - ms).toISOString();

/** A frame with every member that the API sends. */
export function frame(fields) {
  return { absPath: null, module: null, colNo: null, context: [], inApp: false, vars: null, ...fields };
}

/** Source lines with their numbers. */
export function lines(first, text) {
  return text.split("\n").map((line, index) => [first + index, line]);
}
