/** Numbers as the other half of the report prints them. */

/** `1,234,567` */
export function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 object`, `2,000 objects` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${thousands(count)} ${count === 1 ? one : many}`;
}

/** `12 B`, `1.5 KiB`, `340 MiB`: three digits. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = count / 1024;
  let unit = 0;
  // What would be printed as 1,024 is one of the next unit.
  for (; value >= 1023.5 && unit + 1 < units.length; unit++) value /= 1024;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${Number(value.toFixed(digits))} ${units[unit]}`;
}
