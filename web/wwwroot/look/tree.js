// The keys of a tree whose folds the server draws. What is typed before a fold is drawn waits for it: no key is lost, and none meets rows that are about to go.

// Calls walk(row, key) for keys on rows; it answers true where the key has a meaning, and 'folds' where it opens or closes the row.
export function keysOf(tree, walk, signal) {
  let waiting;

  const take = key => {
    const row = document.activeElement?.closest('[role=treeitem]');
    if (!row || !tree.contains(row)) return false;
    const stood = row.getAttribute('aria-expanded');
    const means = walk(row, key);
    if (means === 'folds') wait(() => row.isConnected && row.getAttribute('aria-expanded') === stood);
    return Boolean(means);
  };

  const wait = stands => {
    waiting = [];
    const watch = new MutationObserver(() => {
      if (stands()) return;
      watch.disconnect();
      const keys = waiting;
      waiting = undefined;
      for (const key of keys) if (waiting) waiting.push(key); else take(key);
    });
    watch.observe(tree, { attributeFilter: ['aria-expanded'], childList: true, subtree: true });
    signal?.addEventListener('abort', () => watch.disconnect());
  };

  tree.addEventListener('keydown', event => {
    if (event.target !== event.target.closest('[role=treeitem]') || event.ctrlKey || event.altKey || event.metaKey) return;
    if (waiting) waiting.push(event.key);
    else if (!take(event.key)) return;
    event.preventDefault();
  }, { signal });
}
