// Keys of a trace's tree, and whether somebody looks at a row of it so that nothing may move. Rows come and go: listeners are at the box around them.

import { keysOf } from './tree.js';

const boxes = new WeakMap();

const rowsOf = box => [...box.querySelectorAll('[role=treeitem]')];
const level = row => Number(row.getAttribute('aria-level'));

function focusOn(box, row) {
  if (!row) return;
  for (const other of box.querySelectorAll('[role=treeitem][tabindex="0"]')) other.tabIndex = -1;
  row.tabIndex = 0;
  row.focus();
  row.scrollIntoView({ block: 'nearest' });
}

// The row that Tab leads to is the one that had the focus last, else the first.
function keepStop(box) {
  if (!box.querySelector('[role=treeitem][tabindex="0"]')) {
    const first = box.querySelector('[role=treeitem]');
    if (first) first.tabIndex = 0;
  }
}

function typed(box, from, letter) {
  const rows = rowsOf(box);
  const at = rows.indexOf(from);
  return [...rows.slice(at + 1), ...rows.slice(0, at)].find(row => row.querySelector('.n')?.textContent.trim().toLowerCase().startsWith(letter));
}

function walk(box, row, key) {
  const rows = rowsOf(box);
  const at = rows.indexOf(row);
  const open = row.getAttribute('aria-expanded');
  const fold = () => { row.querySelector('.fold').click(); return 'folds'; };
  switch (key) {
    case 'ArrowDown': focusOn(box, rows[at + 1]); break;
    case 'ArrowUp': focusOn(box, rows[at - 1]); break;
    case 'Home': focusOn(box, rows[0]); break;
    case 'End': focusOn(box, rows[rows.length - 1]); break;
    case 'ArrowRight':
      if (open === 'false') return fold();
      if (open === 'true') focusOn(box, rows[at + 1]);
      break;
    case 'ArrowLeft':
      if (open === 'true') return fold();
      focusOn(box, rows.slice(0, at).reverse().find(other => level(other) < level(row)));
      break;
    case 'Enter': row.querySelector('a')?.click(); break;
    case ' ':
      if (open) return fold();
      break;
    case 'n': case 'N': case 'p': case 'P': return false;
    default:
      if (key.length !== 1) return false;
      focusOn(box, typed(box, row, key.toLowerCase()));
  }
  return true;
}

// A button's key holds anywhere on the page but where one writes.
function press(pane, event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.('input, textarea, select, [contenteditable], .monaco-editor')) return;
  const button = [...pane.querySelectorAll('[data-key]')].find(one => one.dataset.key === event.key.toLowerCase());
  if (button?.offsetParent) button.click();
}

export function attach(box, owner) {
  const pane = box.closest('[data-trace]') ?? box;
  let isOver = false;
  let isStill = false;
  const tell = () => {
    const still = isOver || box.scrollTop > 4;
    if (still !== isStill) {
      isStill = still;
      owner.invokeMethodAsync('StillAsync', still).catch(() => {});
    }
  };
  const over = () => { isOver = true; tell(); };
  const out = () => { isOver = false; tell(); };
  const into = event => {
    const row = event.target.closest('[role=treeitem]');
    if (row) for (const other of box.querySelectorAll('[role=treeitem][tabindex="0"]')) if (other !== row) other.tabIndex = -1;
    if (row) row.tabIndex = 0;
  };
  const anywhere = event => press(pane, event);
  const tree = box.querySelector('[role=tree]');
  const watch = new MutationObserver(() => keepStop(box));
  watch.observe(tree, { childList: true, subtree: true });
  tree.addEventListener('mouseenter', over);
  tree.addEventListener('mouseleave', out);
  box.addEventListener('scroll', tell, { passive: true });
  keysOf(tree, (row, key) => walk(box, row, key));
  box.addEventListener('focusin', into);
  document.addEventListener('keydown', anywhere);
  boxes.set(box, () => { watch.disconnect(); document.removeEventListener('keydown', anywhere); });
  keepStop(box);
}

export function detach(box) {
  boxes.get(box)?.();
  boxes.delete(box);
}

// The same for what is no tree: only whether nothing may move.
export function still(box, owner) {
  const pane = box.closest('[data-trace]') ?? box;
  let isStill = false;
  const tell = () => {
    const now = box.scrollTop > 4;
    if (now !== isStill) {
      isStill = now;
      owner.invokeMethodAsync('StillAsync', now).catch(() => {});
    }
  };
  const anywhere = event => press(pane, event);
  box.addEventListener('scroll', tell, { passive: true });
  document.addEventListener('keydown', anywhere);
  boxes.set(box, () => { box.removeEventListener('scroll', tell); document.removeEventListener('keydown', anywhere); });
}
