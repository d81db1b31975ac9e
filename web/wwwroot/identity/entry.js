// What the pages of the way in do where scripts run: the time zone and a slug are proposed, and passkeys are asked for.

for (const field of document.querySelectorAll('[data-zone]')) {
  try {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
  } catch {
    // UTC stays.
  }
  const zones = document.getElementById('zones');
  for (const zone of Intl.supportedValuesOf?.('timeZone') ?? []) zones?.append(Object.assign(document.createElement('option'), { value: zone }));
}

for (const name of document.querySelectorAll('[data-proposes]')) {
  const slug = document.getElementById(name.dataset.proposes);
  let isOwn = slug.value !== '';
  slug.addEventListener('input', () => { isOwn = slug.value !== ''; });
  name.addEventListener('input', () => {
    if (!isOwn) {
      slug.value = name.value.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^[^a-z]+/, '').slice(0, 40).replace(/-+$/, '');
    }
  });
}

// ---- passkeys ----

const words = { NotAllowedError: 'Nothing was chosen, or it took too long. Try again.', InvalidStateError: 'This device has a passkey for your account already.', SecurityError: 'Passkeys need the name of the host in the address, and https but for localhost.' };
let waiting = new AbortController();

// Why there are none here, or null.
function lack() {
  if (/^[\d.]+$|^\[/.test(location.hostname)) return `Passkeys belong to the name of a host, and ${location.hostname} is a number. Open Eddy by its name to use them.`;
  if (!isSecureContext) return 'Browsers give passkeys to pages that came over https alone.';
  return window.PublicKeyCredential?.parseCreationOptionsFromJSON ? null : 'This browser knows no passkeys, or is too old for them.';
}

async function optionsOf(form, path, more) {
  const answer = await fetch(path, { method: 'POST', headers: { RequestVerificationToken: form.elements.__RequestVerificationToken.value }, ...more });
  if (!answer.ok) throw new Error(await answer.text() || 'This page is too old. Load it anew.');
  return answer.json();
}

function send(form, credential) {
  form.elements['Form.Passkey'].value = JSON.stringify(credential);
  form.submit();
}

async function signIn(form, mediation) {
  waiting.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await optionsOf(form, '/passkeys/request', { signal }));
  send(form, await navigator.credentials.get({ publicKey, mediation, signal }));
}

async function register(form) {
  const body = new FormData();
  body.append('password', form.elements['Form.Password'].value);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await optionsOf(form, '/passkeys/creation', { body }));
  send(form, await navigator.credentials.create({ publicKey }));
}

// The field of the address offers passkeys, too, where the browser can.
async function offer(form) {
  if (await PublicKeyCredential.isConditionalMediationAvailable?.()) {
    signIn(form, 'conditional').catch(() => { /* The button is there. */ });
  }
}

async function attempt(form, button, act) {
  const fault = form.querySelector('[data-passkey-fault]');
  fault.hidden = true;
  button.disabled = true;
  try {
    await act(form);
  } catch (error) {
    fault.textContent = words[error.name] ?? error.message;
    fault.hidden = false;
  } finally {
    button.disabled = false;
  }
}

const none = lack();
for (const said of document.querySelectorAll('[data-passkey-none]')) {
  said.textContent = none;
  said.hidden = !none;
}
if (!none) {
  for (const part of document.querySelectorAll('[data-passkey-part]')) part.hidden = false;
  for (const button of document.querySelectorAll('[data-passkey=sign-in]')) {
    button.addEventListener('click', () => attempt(button.form, button, signIn));
    offer(button.form);
  }
  for (const form of document.querySelectorAll('[data-passkey=register]')) {
    form.addEventListener('submit', event => {
      event.preventDefault();
      attempt(form, event.submitter ?? form.querySelector('[type=submit]'), register);
    });
  }
}
