import { compactNumber, exactNumber } from "@/domain/number";

/** A number shortened to three digits; the exact one in the tooltip. */
export function Count({ value }: { value: number }) {
  const short = compactNumber(value);
  const exact = exactNumber(value);
  return short === exact ? <span>{exact}</span> : <span data-tip={exact}>{short}</span>;
}
