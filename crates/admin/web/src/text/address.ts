/** Whether a text can be an IP address: a first look, so that a slip is told at once. The box decides. */
export function looksLikeAddress(text: string): boolean {
  const four = text.split('.');
  if (four.length === 4) return four.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  const groups = text.replace(/\/64$/, '').split(':');
  return groups.length >= 3 && groups.length <= 8 && groups.every((group) => /^[0-9a-f]{0,4}$/i.test(group)) && text !== '::';
}
