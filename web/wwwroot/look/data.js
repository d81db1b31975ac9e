// What lists and dialogs need of the browser: modal dialogs, keys that move in a list, Enter that sends a field, text on the clipboard.

export function open(dialog) {
  if (!dialog.open) dialog.showModal();
}

export function close(dialog) {
  if (dialog.open) dialog.close();
}

export function focus(selector) {
  const element = document.querySelector(selector);
  element?.focus();
  element?.scrollIntoView({ block: 'nearest' });
}

// What the address bar says, without going there.
export function at(address) {
  history.replaceState(history.state, '', address);
}

const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

document.addEventListener('keydown', event => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  // [data-rows]: its rows are gone through by arrows and J, K; Space stays with the row.
  const row = event.target.closest?.('[data-rows] [data-row]');
  if (row && event.target === row && isPlain) {
    if (event.key === ' ' || event.key === 'Delete') event.preventDefault();
    const rows = [...row.closest('[data-rows]').querySelectorAll('[data-row]')];
    const next = steps[event.key] ? rows[rows.indexOf(row) + steps[event.key]] : event.key === 'Home' ? rows[0] : event.key === 'End' ? rows.at(-1) : null;
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
  if (event.key === 'Enter' && !event.shiftKey && isPlain && !event.isComposing && event.target.matches?.('textarea[data-send]')) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// [data-scrub]: a slider over a timeline. The arrows move it from wherever nothing else takes them; with Shift from the end of a cascade to the next.
document.addEventListener('keydown', event => {
  const slider = document.querySelector('[data-scrub]');
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const isElsewhere = event.target !== slider;
  if (!slider || event.ctrlKey || event.metaKey || event.altKey || isElsewhere && event.target.closest('input, textarea, select, summary, [contenteditable], [role=tablist], [tabindex="0"], dialog')) return;
  if (event.key === 'Escape' && isElsewhere) {
    slider.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    return;
  }
  if (!step || !isElsewhere && !event.shiftKey) return;
  event.preventDefault();
  slider.focus();
  const ends = slider.dataset.scrub.split(' ').map(Number);
  const next = event.shiftKey ? step > 0 ? ends.find(end => end > slider.valueAsNumber) : ends.findLast(end => end < slider.valueAsNumber) : slider.valueAsNumber + step;
  if (next === undefined) return;
  slider.value = next;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  slider.dispatchEvent(new Event('change', { bubbles: true }));
});

document.addEventListener('click', async event => {
  const copy = event.target.closest?.('[data-copy]');
  if (!copy) return;
  const text = document.querySelector(copy.dataset.copy)?.textContent ?? '';
  try {
    await navigator.clipboard.writeText(text);
    copy.querySelector('span').textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(document.querySelector(copy.dataset.copy));
  }
});
