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

// The name of a host is what passkeys are made for; an address of the network is none.
// They are not offered yet: what a browser answers is not taken by the server.
const canPasskeys = false;
let waiting = new AbortController();

async function optionsOf(button, path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { RequestVerificationToken: button.form.elements.__RequestVerificationToken.value },
    body,
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function send(button, credential) {
  button.form.elements['Form.Passkey'].value = JSON.stringify(credential);
  button.form.submit();
}

async function signIn(button, mediation) {
  waiting.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await optionsOf(button, '/passkeys/request'));
  send(button, await navigator.credentials.get({ publicKey, mediation, signal }));
}

async function register(button) {
  const password = new FormData();
  password.append('password', button.form.elements['Form.Password'].value);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await optionsOf(button, '/passkeys/creation', password));
  send(button, await navigator.credentials.create({ publicKey }));
}

const words = { NotAllowedError: 'Nothing was chosen, or it took too long. Try again.', InvalidStateError: 'This device has a passkey for your account already.', SecurityError: 'Passkeys need the name of the host in the address, and https but for localhost.' };

for (const button of canPasskeys ? document.querySelectorAll('[data-passkey]') : []) {
  for (const part of document.querySelectorAll('[data-passkey-part]')) part.hidden = false;
  const fault = button.form.querySelector('[data-passkey-fault]');
  button.addEventListener('click', async () => {
    fault.hidden = true;
    button.disabled = true;
    try {
      await (button.dataset.passkey === 'sign-in' ? signIn(button) : register(button));
    } catch (error) {
      fault.textContent = words[error.name] ?? error.message;
      fault.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  // The field of the address offers passkeys, too, where the browser can.
  if (button.dataset.passkey === 'sign-in' && await PublicKeyCredential.isConditionalMediationAvailable?.()) {
    signIn(button, 'conditional').catch(() => { /* The buttons are there. */ });
  }
}
