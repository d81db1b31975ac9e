// What the circuit can not do for itself: start, come back when the connection is lost, keys that hold everywhere, menus that close.

import "./data.js";

const lost = document.getElementById('components-reconnect-modal');
const words = lost?.querySelector('span');
const pauses = [0, 500, 1000, 2000, 4000];
let isLost = false;
let retryNow;

function say(text) {
  if (lost) {
    lost.hidden = !text;
    words.textContent = text;
  }
  document.getElementById('connection-dot')?.classList.toggle('away', !!text);
  const state = document.getElementById('connection');
  if (state) state.textContent = text ? 'Not connected' : 'Connected';
}

// Waits in steps of a second, so that the bar can tell how long is left.
async function pause(milliseconds) {
  for (let left = milliseconds; left > 0; left -= 1000) {
    say(`The connection is lost. Your text is kept here. Next try in ${Math.ceil(left / 1000)} s.`);
    await new Promise(done => {
      retryNow = done;
      setTimeout(done, Math.min(left, 1000));
    });
    if (retryNow === null) return;
  }
}

// Parts that told the circuit something meanwhile tell it again.
function back() {
  if (isLost) {
    isLost = false;
    say('');
    delete document.documentElement.dataset.lost;
    setTimeout(() => document.dispatchEvent(new CustomEvent('eddy:back')));
  }
}

async function comeBack() {
  for (let tries = 0; isLost; tries++) {
    await pause(pauses[Math.min(tries, pauses.length - 1)]);
    say('The connection is lost. Your text is kept here. Trying now.');
    try {
      if (await Blazor.reconnect() || await Blazor.resumeCircuit?.()) {
        back();
      } else {
        // The server was there and does not know this page any more: what was typed is in the browser's keeping.
        document.dispatchEvent(new CustomEvent('eddy:keep'));
        location.reload();
        return;
      }
    } catch {
      // It is still away.
    }
  }
}

lost?.querySelector('button').addEventListener('click', () => { const go = retryNow; retryNow = null; go?.(); });

await Blazor.start({
  circuit: {
    reconnectionHandler: {
      onConnectionDown() {
        if (!isLost) {
          isLost = true;
          document.documentElement.dataset.lost = '';
          comeBack();
        }
      },
      onConnectionUp: back,
    },
  },
});
document.documentElement.dataset.started = '';

document.addEventListener('click', event => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target) || event.target.closest('a, button')) menu.open = false;
  }
});

document.addEventListener('keydown', event => {
  if (event.key === 'Escape') {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  }
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    document.querySelector('[data-find]')?.click();
  }
}, true);

export function showModal(dialog) {
  if (!dialog.open) dialog.showModal();
  dialog.querySelector('[autofocus]')?.focus();
}

export function close(dialog) {
  dialog.close();
}

// A click beside a dialog closes it, as Escape does.
document.addEventListener('click', event => {
  if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
});
