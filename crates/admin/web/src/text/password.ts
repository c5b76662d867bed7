/** Fewest characters of a password. */
export const SHORTEST_PASSWORD = 10;

/** What is wrong with a new password and its repetition. */
export function passwordFault(password: string, again: string): 'short' | 'differ' | null {
  if ([...password].length < SHORTEST_PASSWORD) return 'short';
  return password === again ? null : 'differ';
}
