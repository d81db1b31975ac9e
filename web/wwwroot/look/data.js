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

const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

document.addEventListener('keydown', event => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  // [data-rows]: its rows are gone through by arrows and J, K; Space stays with the row.
  const row = event.target.closest?.('[data-row]');
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
