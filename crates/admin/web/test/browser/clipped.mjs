// Runs in the page: texts that can not be read, because they are cut off or lie outside of the window.

export function clipped() {
  const found = [];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.unseen, .skip, [hidden]');
  const scrolls = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };
  const say = (element, why) => found.push(`${why}: <${element.localName} class="${element.className}"> ${element.textContent.slice(0, 80)}`);
  for (const element of document.querySelectorAll('body *')) {
    if (!shown(element) || element.closest('svg') || element.closest('.chart')) continue;
    const style = getComputedStyle(element);
    const hides = style.overflowX === 'hidden' || style.overflowX === 'clip';
    const wider = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && style.display !== 'inline';
    const isField = ['input', 'textarea', 'select'].includes(element.localName);
    if (wider && !isField && !scrolls(element)) say(element, `${element.scrollWidth} > ${element.clientWidth} px`);
    const hidesBelow = ['hidden', 'clip'].includes(style.overflowY) && element.scrollHeight > element.clientHeight + 1;
    if ((hides || hidesBelow) && hidesBelow && !isField) say(element, 'cut off below');
    if (style.textOverflow === 'ellipsis' && wider) say(element, 'ellipsis');
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { parentElement } = node;
    if (node.data.trim() === '' || !shown(parentElement) || scrolls(parentElement)) continue;
    range.selectNodeContents(node);
    for (const { left, right, width } of range.getClientRects()) {
      if (width > 0 && (left < -1 || right > innerWidth + 1)) {
        say(parentElement, `outside of the window, ${Math.round(left)} to ${Math.round(right)}`);
        break;
      }
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  return found.slice(0, 12);
}
