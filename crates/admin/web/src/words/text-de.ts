/** Hilfen für Muster. */

/** Die Schlüssel als Alternativen eines regulären Ausdrucks. */
export const alternatives = (words: Record<string, string>) => Object.keys(words).map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|');
