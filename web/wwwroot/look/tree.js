// The keys of a tree whose folds the server draws. What is typed before a fold is drawn waits for it: no key is lost, and none meets rows that are about to go.

const longest = 10_000;

// Tab leads out of the tree whatever it waits for.
const isOfTree = key => key.length === 1 || /^(Arrow|Home$|End$|Enter$|F2$|Delete$)/.test(key);

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
    const goOn = () => {
      watch.disconnect();
      clearTimeout(late);
      const keys = waiting;
      waiting = undefined;
      for (const key of keys) if (waiting) waiting.push(key); else take(key);
    };
    const watch = new MutationObserver(() => { if (!stands()) goOn(); });
    // Where the connection is lost it is not drawn at all.
    const late = setTimeout(goOn, longest);
    watch.observe(tree, { attributeFilter: ['aria-expanded'], childList: true, subtree: true });
    signal?.addEventListener('abort', () => { watch.disconnect(); clearTimeout(late); }, { once: true });
  };

  tree.addEventListener('keydown', event => {
    if (event.target !== event.target.closest('[role=treeitem]') || event.ctrlKey || event.altKey || event.metaKey) return;
    if (waiting && isOfTree(event.key)) waiting.push(event.key);
    else if (!take(event.key)) return;
    event.preventDefault();
  }, { signal });
}
