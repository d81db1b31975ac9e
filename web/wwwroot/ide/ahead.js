// The largest script there is comes, and is made ready, while the circuit of the page is made.

import { load } from './editor.js';

load().catch(() => {});
