// The console's text is the browser's: a lost connection takes nothing of it, nor does loading the page anew. The server reads it while it is written.

const pause = 80;

function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

export function attach(input, owner, name) {
  const kept = recall(name);
  const history = kept.history ?? [];
  let at = history.length;
  let waiting;
  const keep = () => {
    try {
      sessionStorage.setItem(name, JSON.stringify({ text: input.value, history }));
    } catch {
      // The browser keeps nothing: it is still in the page.
    }
  };
  const tell = () => {
    clearTimeout(waiting);
    keep();
    waiting = setTimeout(() => owner.invokeMethodAsync('WrittenAsync', input.value).catch(() => {}), pause);
  };
  const put = text => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    tell();
  };
  input.addEventListener('input', () => { at = history.length; tell(); });
  input.addEventListener('keydown', event => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') {
      event.preventDefault();
      clearTimeout(waiting);
      owner.invokeMethodAsync('SendTextAsync', input.value).catch(() => {});
      return;
    }
    // Up on the first line goes back, as shells do; with Ctrl from any line.
    const up = event.key === 'ArrowUp' && (event.ctrlKey || !input.value.slice(0, input.selectionStart).includes('\n'));
    const down = event.key === 'ArrowDown' && at < history.length && (event.ctrlKey || !input.value.slice(input.selectionEnd).includes('\n'));
    if (up && at > 0) {
      event.preventDefault();
      put(history[--at]);
    } else if (down) {
      event.preventDefault();
      put(history[++at] ?? '');
    }
  });
  input.eddySent = () => {
    if (history[history.length - 1] !== input.value) history.push(input.value);
    if (history.length > 50) history.shift();
    at = history.length;
    keep();
  };
  // What was typed before this came counts.
  if (input.value) tell();
  else if (kept.text) put(kept.text);
}

// It was taken: what was sent can be brought back.
export function sent(input) {
  input.eddySent?.();
}
