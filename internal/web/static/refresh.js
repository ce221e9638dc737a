// Puts what is new in the place of what is old, every 15 seconds: where the reader has scrolled to, and what has the focus, stay.
'use strict';
const every = 15000;
async function refresh() {
  if (document.hidden || document.querySelector('#live form :focus')) return; // nobody looks, or somebody types
  try {
    const response = await fetch(location.href, {headers: {Accept: 'text/html'}});
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const focused = document.activeElement?.getAttribute?.('href');
    document.querySelector('#live').replaceWith(page.querySelector('#live'));
    document.title = page.title;
    if (focused) document.querySelector(`#live a[href="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
  } catch {
    document.querySelector('.summary .faint')?.replaceChildren('The exporter does not answer; this page is old.');
  }
}
setInterval(refresh, every);
