// Times in the browser's zone, and arrow keys in a row of results. Without it the page has times in UTC, and a target's
// page has its results.
'use strict';
const local = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
function zones() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const at = new Date(time.dateTime);
    if (isNaN(at) || time.title) continue;
    time.title = `${time.dateTime}, here ${local.format(at)}`;
    if (time.className === 'both') time.append(` (here ${local.format(at)})`);
  }
}
function moveTo(links, link) {
  for (const other of links) other.setAttribute('tabindex', other === link ? 0 : -1);
  link.focus();
}
document.addEventListener('keydown', (event) => {
  const current = document.activeElement?.closest?.('svg a');
  if (!current || event.altKey || event.ctrlKey || event.metaKey) return;
  const links = [...current.closest('svg').querySelectorAll('a')];
  const at = links.indexOf(current);
  const next = {ArrowLeft: links[at - 1], ArrowRight: links[at + 1], Home: links[0], End: links.at(-1)}[event.key];
  if (!next) return;
  event.preventDefault();
  moveTo(links, next);
});
document.addEventListener('refreshed', zones);
zones();
