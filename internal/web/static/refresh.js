// Puts new results in the place of the old ones, every 15 seconds. What has the focus keeps it, what is open stays open,
// and where the reader has scrolled to stays.
'use strict';
const every = 15000;
const parts = ['summary', 'targets'];
const nameOf = (element) => element.getAttribute('href') || element.closest('tr')?.querySelector('a')?.getAttribute('href');
function replacePart(old, fresh) {
  const open = new Set([...old.querySelectorAll('details[open]')].map(nameOf));
  for (const details of fresh.querySelectorAll('details')) details.open = open.has(nameOf(details));
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  if (!focused) return;
  const same = [...fresh.querySelectorAll(focused.tagName)].find((e) => nameOf(e) === nameOf(focused));
  (same || fresh.querySelector('a'))?.focus({preventScroll: true});
}
async function refresh() {
  if (document.hidden || !getSelection().isCollapsed) return; // nobody looks, or somebody copies
  try {
    const response = await fetch(location.href, {headers: {Accept: 'text/html'}});
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const id of parts) replacePart(document.getElementById(id), page.getElementById(id));
    document.title = page.title;
    document.dispatchEvent(new Event('refreshed'));
  } catch {
    document.querySelector('.summary .faint')?.replaceChildren('The exporter does not answer; this page is old.');
  }
}
setInterval(refresh, every);
