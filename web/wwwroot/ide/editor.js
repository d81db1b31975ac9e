// The editor in the page: Monaco, a model for each document, and what the circuit of its document says about it.

import * as python from './python.js';
import { keysOf } from '../look/tree.js';

const monacoHome = '_content/BlazorMonaco/';
const pause = 300;
const documents = new Map();
const byModel = new Map();
const diffs = new Map();
let loading;
let screen;

function script(source) {
  return new Promise((done, fail) => {
    const one = document.createElement('script');
    one.src = source;
    one.onload = done;
    one.onerror = () => fail(new Error(`${source} was not loaded.`));
    document.head.append(one);
  });
}

export function load() {
  return loading ??= (async () => {
    await script(`${monacoHome}jsInterop.js`);
    await script(`${monacoHome}lib/monaco-editor/min/vs/loader.js`);
    await new Promise((done, fail) => window.require(['vs/editor/editor.main'], done, fail));
    python.register(monaco);
    register();
    paint();
    new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ['data-theme'] });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  })();
}

// ---- looks ----

function paint() {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const bare = name => colour(name).slice(1);
  monaco.editor.defineTheme('eddy', {
    base: style.colorScheme === 'dark' ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      { token: '', foreground: bare('text') },
      { token: 'keyword', foreground: bare('c-kw') },
      { token: 'string', foreground: bare('c-str') },
      { token: 'number', foreground: bare('c-num') },
      { token: 'fn', foreground: bare('c-fn'), fontStyle: 'bold' },
      { token: 'comment', foreground: bare('c-com'), fontStyle: 'italic' },
      { token: 'self', foreground: bare('c-self') },
      { token: 'key', foreground: bare('c-key') },
      { token: 'tag', foreground: bare('c-kw') },
      { token: 'attribute.name', foreground: bare('c-key') },
      { token: 'attribute.value', foreground: bare('c-str') },
    ],
    colors: {
      'editor.background': colour('surface'),
      'editor.foreground': colour('text'),
      'editor.lineHighlightBackground': colour('hover'),
      'editor.lineHighlightBorder': colour('hover'),
      'editorLineNumber.foreground': colour('text-3'),
      'editorLineNumber.activeForeground': colour('text'),
      'editorCursor.foreground': colour('ink'),
      'editor.selectionBackground': colour('line-2'),
      'editorError.foreground': colour('failed'),
      'editorWarning.foreground': colour('held'),
      'editorWidget.background': colour('raised'),
      'editorWidget.foreground': colour('text'),
      'editorWidget.border': colour('line-2'),
      'editorSuggestWidget.background': colour('raised'),
      'editorSuggestWidget.border': colour('line-2'),
      'editorSuggestWidget.foreground': colour('text'),
      'editorSuggestWidget.selectedBackground': colour('selected'),
      'editorSuggestWidget.selectedForeground': colour('text'),
      'editorSuggestWidget.highlightForeground': colour('link'),
      'editorSuggestWidget.focusHighlightForeground': colour('link'),
      'editorHoverWidget.background': colour('raised'),
      'editorHoverWidget.border': colour('line-2'),
      'editorHoverWidget.foreground': colour('text'),
      'textLink.foreground': colour('link'),
      'focusBorder': colour('focus'),
      'diffEditor.insertedTextBackground': `${colour('ran')}22`,
      'diffEditor.removedTextBackground': `${colour('failed')}22`,
      'diffEditor.insertedLineBackground': colour('ran-t'),
      'diffEditor.removedLineBackground': colour('failed-t'),
      'scrollbar.shadow': colour('surface'),
    },
  });
  monaco.editor.setTheme('eddy');
}

function looks() {
  const style = getComputedStyle(document.documentElement);
  const [size, line] = style.getPropertyValue('--code').trim().split('/').map(parseFloat);
  return {
    theme: 'eddy', fontSize: size, lineHeight: line, fontFamily: style.getPropertyValue('--font-code').trim(), fontLigatures: false,
    automaticLayout: true, minimap: { enabled: false }, scrollBeyondLastLine: false, padding: { top: 8, bottom: 8 },
    lineNumbersMinChars: 4, lineDecorationsWidth: 14, glyphMargin: false, folding: false, overviewRulerLanes: 0, hideCursorInOverviewRuler: true, overviewRulerBorder: false,
    bracketPairColorization: { enabled: false }, guides: { indentation: false }, renderLineHighlight: 'line', renderWhitespace: 'none', occurrencesHighlight: false,
    selectionHighlight: false, wordWrap: innerWidth <= 760 ? 'on' : 'off', fixedOverflowWidgets: true, links: false, contextmenu: true, stickyTabStops: true,
    tabSize: 4, insertSpaces: true, detectIndentation: true, wordBasedSuggestions: false, quickSuggestions: { other: true, strings: true, comments: false },
    suggest: { showWords: false, preview: false }, suggestOnTriggerCharacters: true, quickSuggestionsDelay: 100, lightbulb: { enabled: false },
    scrollbar: { verticalScrollbarSize: 10, horizontalScrollbarSize: 10, useShadows: false },
  };
}

function languageOf(path) {
  const end = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return { py: python.language, html: 'html', css: 'css', js: 'javascript', json: 'json', md: 'markdown', xml: 'xml', yaml: 'yaml', yml: 'yaml', sql: 'sql' }[end] ?? 'plaintext';
}

// ---- a document ----

// file: { path, text, version, keep, isReadOnly, isChecked }. The answer is the draft that was brought back, if there was one.
export async function open(id, file, talk, editorTalk) {
  await load();
  const place = document.getElementById(id);
  if (!place) return null;
  blazorMonaco.editor.create(id, {
    ...looks(), value: file.text, language: languageOf(file.path), readOnly: file.isReadOnly, ariaLabel: `${file.path}. Control M lets Tab leave the editor; F6 goes to the next pane.`,
  }, null, editorTalk);
  const editor = blazorMonaco.editor.getEditor(id);
  const model = editor.getModel();
  model.setEOL(monaco.editor.EndOfLineSequence.LF);
  const one = {
    id, editor, model, talk, keep: file.keep, base: file.version, isChecked: file.isChecked, isReadOnly: file.isReadOnly,
    saved: model.getAlternativeVersionId(), isDirty: false, findings: [], foundAt: 0, said: null,
  };
  documents.set(id, one);
  byModel.set(model.uri.toString(), one);

  const draft = file.isReadOnly ? null : kept(file.keep);
  const isBack = draft !== null && draft.text !== file.text;
  if (isBack) {
    one.base = draft.base;
    write(one, draft.text);
    mark(one);
  }

  model.onDidChangeContent(() => {
    dim(one);
    mark(one);
    clearTimeout(one.timer);
    one.timer = setTimeout(() => settle(one), pause);
  });
  editor.onDidChangeCursorPosition(() => say(one));
  editor.onDidLayoutChange(() => { one.said?.key && hush(one); say(one); });
  editor.addAction({ id: 'eddy.save', label: 'Save', keybindings: [monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS], run: () => save(id) });
  editor.addAction({ id: 'eddy.mend', label: 'Mend the problem of this line', keybindings: [monaco.KeyMod.Alt | monaco.KeyCode.Enter], run: () => mend(one) });
  // Monaco's own key for it differs from system to system.
  editor.addAction({ id: 'eddy.format', label: 'Format', keybindings: [monaco.KeyMod.Shift | monaco.KeyMod.Alt | monaco.KeyCode.KeyF], run: () => tidy(id) });
  if (place.offsetParent && (document.activeElement === document.body || document.activeElement?.matches('h1'))) editor.focus();
  if (file.isChecked) check(one);
  return isBack ? { at: draft.at, base: draft.base } : null;
}

export function close(id) {
  const one = documents.get(id);
  if (one) {
    clearTimeout(one.timer);
    keep(one);
    documents.delete(id);
    byModel.delete(one.model.uri.toString());
  }
  const at = window.blazorMonaco?.editors.findIndex(each => each.id === id) ?? -1;
  if (at >= 0) {
    const { editor } = blazorMonaco.editors[at];
    const model = editor.getModel();
    blazorMonaco.editors.splice(at, 1);
    editor.dispose();
    model?.dispose();
  }
}

export function focus(id, line) {
  const one = documents.get(id);
  if (!one) return;
  if (line) {
    one.editor.setPosition({ lineNumber: line, column: one.model.getLineFirstNonWhitespaceColumn(line) || 1 });
    one.editor.revealLineInCenter(line);
  }
  one.editor.focus();
}

// Puts another text in, as one step that can be undone. With a version it is what is saved as that.
export function put(id, text, version) {
  const one = documents.get(id);
  if (!one) return;
  write(one, text);
  if (version !== null) {
    [one.base, one.saved] = [version, one.model.getAlternativeVersionId()];
    mark(one);
    settle(one);
  }
}

export async function save(id) {
  const one = documents.get(id);
  if (!one || one.isSaving || one.isReadOnly) return;
  one.isSaving = true;
  const now = one.model.getAlternativeVersionId();
  try {
    const version = await tell(one.talk, 'SaveAsync', stream(one), one.base);
    if (version !== null) {
      [one.base, one.saved] = [version, now];
      mark(one);
    }
    keep(one);
  } catch {
    // There is no connection: the text is kept here, the bar says so, and it is saved when it is back.
    one.isWanted = isAway();
    keep(one);
  } finally {
    one.isSaving = false;
  }
}

export function tidy(id) {
  return documents.get(id)?.editor.getAction('editor.action.formatDocument').run();
}

function write(one, text) {
  one.editor.pushUndoStop();
  one.model.pushEditOperations([], [{ range: one.model.getFullModelRange(), text }], () => null);
  one.editor.pushUndoStop();
}

function stream(one) {
  return DotNet.createJSStreamReference(new TextEncoder().encode(one.model.getValue()));
}

function mark(one) {
  const isDirty = one.model.getAlternativeVersionId() !== one.saved;
  if (isDirty !== one.isDirty) {
    one.isDirty = isDirty;
    tell(one.talk, 'MarkAsync', isDirty).catch(() => {});
  }
}

function settle(one) {
  keep(one);
  if (one.isChecked) check(one);
}

// ---- values of a run, at the ends of its lines ----

export function textOf(id) {
  const one = documents.get(id);
  return one ? new TextEncoder().encode(one.model.getValue()) : null;
}

// lines: [{ line, isPassed, chips }]. They are of the text as it is: with the next key they go.
export function shine(id, lines, outcome) {
  const one = documents.get(id);
  if (!one) return;
  const last = one.model.getLineCount();
  one.lit = one.editor.deltaDecorations(one.lit ?? [], lines.filter(each => each.line <= last).flatMap(({ line, isPassed, chips }) => {
    const end = one.model.getLineMaxColumn(line);
    const edge = { range: new monaco.Range(line, 1, line, 1), options: { isWholeLine: true, linesDecorationsClassName: isPassed ? '' : `edge-${outcome}`, inlineClassName: isPassed ? 'passed' : '' } };
    return [edge, ...chips.map(chip => ({
      range: new monaco.Range(line, end, line, end), options: { showIfCollapsed: true, after: { content: `\u00a0${chip}\u00a0`, inlineClassName: 'chip', inlineClassNameAffectsLetterSpacing: true, cursorStops: monaco.editor.InjectedTextCursorStops?.None } },
    }))];
  }));
}

// Where tests failed: [{ line, message }].
export function point(id, failed) {
  const one = documents.get(id);
  if (!one) return;
  const last = one.model.getLineCount();
  monaco.editor.setModelMarkers(one.model, 'tests', failed.filter(each => each.line <= last).map(({ line, message }) => ({
    severity: monaco.MarkerSeverity.Error, message, startLineNumber: line, startColumn: one.model.getLineFirstNonWhitespaceColumn(line) || 1, endLineNumber: line, endColumn: one.model.getLineMaxColumn(line),
  })));
}

function dim(one) {
  monaco.editor.setModelMarkers(one.model, 'tests', []);
  if (one.lit?.length) one.lit = one.editor.deltaDecorations(one.lit, []);
}

// ---- drafts: what is not saved stays in the browser ----

function kept(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function keep(one) {
  if (one.isReadOnly) return;
  try {
    if (one.model.getAlternativeVersionId() === one.saved) {
      localStorage.removeItem(one.keep);
    } else {
      localStorage.setItem(one.keep, JSON.stringify({ text: one.model.getValue(), base: one.base, at: Date.now() }));
    }
  } catch {
    // The browser has no room, or keeps nothing.
  }
}

function keepAll() {
  for (const one of documents.values()) keep(one);
}

addEventListener('pagehide', keepAll);
document.addEventListener('eddy:keep', keepAll);

// ---- a lost connection ----

function isAway() {
  return 'lost' in document.documentElement.dataset;
}

// Blazor never answers what it is told while the connection is lost.
function tell(talk, method, ...rest) {
  return isAway() ? Promise.reject(new Error('There is no connection.')) : talk.invokeMethodAsync(method, ...rest);
}

// What was typed meanwhile its circuit has not heard of; what was under way when the connection was lost is never answered.
document.addEventListener('eddy:back', () => {
  for (const one of documents.values()) {
    [one.isSaving, one.isChecking] = [false, false];
    tell(one.talk, 'MarkAsync', one.isDirty).catch(() => {});
    if (one.isWanted) {
      one.isWanted = false;
      save(one.id);
    }
    if (one.isChecked) check(one);
  }
});

// The paths for which there are drafts under these keys.
export function drafts(start) {
  try {
    return Object.keys(localStorage).filter(key => key.startsWith(start)).map(key => key.slice(start.length));
  } catch {
    return [];
  }
}

export function drop(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // It keeps nothing.
  }
}

// ---- what is wrong with it ----

async function check(one) {
  if (one.isChecking) {
    one.isStale = true;
    return;
  }
  one.isChecking = true;
  try {
    do {
      one.isStale = false;
      const asked = one.model.getVersionId();
      const found = await tell(one.talk, 'CheckAsync', stream(one));
      if (found === null || one.model.isDisposed()) return;
      if (one.model.getVersionId() === asked) show(one, found, asked);
    } while (one.isStale);
  } catch {
    // There is no connection; the next key asks again.
  } finally {
    one.isChecking = false;
  }
}

function show(one, findings, at) {
  [one.findings, one.foundAt] = [findings, at];
  monaco.editor.setModelMarkers(one.model, 'eddy', findings.map(found => ({
    severity: found.severity === 'error' ? monaco.MarkerSeverity.Error : monaco.MarkerSeverity.Warning,
    message: found.message, code: found.code, startLineNumber: found.line, startColumn: found.column, endLineNumber: found.endLine, endColumn: Math.max(found.endColumn, found.column + 1),
  })));
  say(one);
}

function current(one) {
  const line = one.editor.getPosition()?.lineNumber;
  return one.foundAt === one.model.getVersionId() ? one.findings.find(found => found.line === line) : undefined;
}

function rangeOf(fix) {
  return new monaco.Range(fix.line, fix.column, fix.endLine, fix.endColumn);
}

function mend(one) {
  const fix = current(one)?.fix;
  if (!fix || one.isReadOnly) return;
  one.editor.pushUndoStop();
  one.editor.executeEdits('mend', [{ range: rangeOf(fix), text: fix.text }]);
  one.editor.pushUndoStop();
  one.editor.focus();
}

function hush(one) {
  if (!one.said) return;
  const { zone, widget } = one.said;
  one.said = null;
  one.editor.changeViewZones(all => all.removeZone(zone));
  one.editor.removeOverlayWidget(widget);
}

// The sentence lies over a gap below the line, because what lies in the gap itself can not be clicked.
function say(one) {
  const found = current(one);
  const key = found && JSON.stringify(found);
  if (one.said?.key === key) return;
  hush(one);
  if (!found) return;
  const node = document.createElement('div');
  node.className = found.severity === 'error' ? 'say failed' : 'say';
  node.setAttribute('role', 'status');
  const text = document.createElement('span');
  text.className = 'grow';
  text.textContent = found.message;
  node.append(text);
  if (found.fix && !one.isReadOnly) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn';
    button.append('Mend it ', Object.assign(document.createElement('kbd'), { textContent: 'Alt ⏎' }));
    button.addEventListener('click', () => mend(one));
    node.append(button);
  }
  const layout = one.editor.getLayoutInfo();
  node.style.left = `${layout.contentLeft}px`;
  node.style.width = `${layout.contentWidth - layout.verticalScrollbarWidth - 16}px`;
  node.style.top = '-1000px';
  const widget = { getId: () => `say-${one.id}`, getDomNode: () => node, getPosition: () => null };
  one.editor.addOverlayWidget(widget);
  one.said = { key, widget };
  one.editor.changeViewZones(all => {
    one.said.zone = all.addZone({
      afterLineNumber: found.line, heightInPx: node.offsetHeight + 8, domNode: document.createElement('div'), onDomNodeTop: top => { node.style.top = `${top + 2}px`; },
    });
  });
}

// ---- what the circuit knows ----

async function ask(model, method, ...rest) {
  try {
    const one = byModel.get(model.uri.toString());
    return one ? await tell(one.talk, method, ...rest) ?? null : null;
  } catch {
    return null;
  }
}

function before(model, at, most) {
  return model.getValueInRange(new monaco.Range(Math.max(1, at.lineNumber - most), 1, at.lineNumber, at.column)).slice(-4000);
}

function register() {
  const kinds = monaco.languages.CompletionItemKind;
  const kindOf = { key: kinds.Field, name: kinds.Variable, method: kinds.Method, module: kinds.Module, model: kinds.Class, secret: kinds.Constant, word: kinds.Keyword };
  monaco.languages.registerCompletionItemProvider(python.language, {
    triggerCharacters: ['.', '"', "'", '{'],
    async provideCompletionItems(model, at) {
      const found = await ask(model, 'CompleteAsync', before(model, at, 0)) ?? [];
      const word = model.getWordUntilPosition(at);
      const range = new monaco.Range(at.lineNumber, word.startColumn, at.lineNumber, word.endColumn);
      return {
        suggestions: found.map(one => ({
          label: { label: one.name, description: one.detail }, insertText: one.text ?? one.name, kind: kindOf[one.kind] ?? kinds.Variable, documentation: { value: one.about ?? '' }, range,
          sortText: `${one.kind === 'key' ? 0 : 1}${one.name}`,
        })),
      };
    },
  });
  monaco.languages.registerHoverProvider(python.language, {
    async provideHover(model, at) {
      const word = model.getWordAtPosition(at);
      if (!word) return null;
      const about = await ask(model, 'ExplainAsync', model.getLineContent(at.lineNumber).slice(0, word.endColumn - 1));
      return about ? { contents: [{ value: about }], range: new monaco.Range(at.lineNumber, word.startColumn, at.lineNumber, word.endColumn) } : null;
    },
  });
  monaco.languages.registerSignatureHelpProvider(python.language, {
    signatureHelpTriggerCharacters: ['(', ','],
    async provideSignatureHelp(model, at) {
      const call = callAt(before(model, at, 20));
      const known = call && await ask(model, 'SignatureAsync', call.name);
      if (!known) return null;
      return {
        value: {
          signatures: [{ label: known.label, documentation: { value: known.about }, parameters: known.parameters.map(label => ({ label })) }],
          activeSignature: 0, activeParameter: Math.min(call.argument, Math.max(0, known.parameters.length - 1)),
        },
        dispose() {},
      };
    },
  });
  monaco.languages.registerCodeActionProvider(python.language, {
    provideCodeActions(model, range) {
      const one = byModel.get(model.uri.toString());
      const here = one && one.foundAt === model.getVersionId() ? one.findings.filter(found => found.fix && found.line <= range.endLineNumber && found.endLine >= range.startLineNumber) : [];
      return {
        actions: here.map(found => ({
          title: `Mend: ${found.message}`, kind: 'quickfix', isPreferred: true,
          edit: { edits: [{ resource: model.uri, versionId: model.getVersionId(), edit: { range: rangeOf(found.fix), text: found.fix.text }, textEdit: { range: rangeOf(found.fix), text: found.fix.text } }] },
        })),
        dispose() {},
      };
    },
  });
}

// The call whose brackets are open at the end of this text, and which of its arguments is being written.
function callAt(text) {
  let depth = 0;
  let argument = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    const sign = text[i];
    if (sign === ')' || sign === ']' || sign === '}') depth++;
    else if (sign === '(' && depth === 0) {
      const name = /[A-Za-z_][\w.]*$/.exec(text.slice(0, i))?.[0];
      return name ? { name, argument } : null;
    } else if (sign === '(' || sign === '[' || sign === '{') {
      if (depth === 0) return null;
      depth--;
    } else if (sign === ',' && depth === 0) argument++;
  }
  return null;
}

// ---- two texts beside each other ----

export async function compare(id, path, was, is) {
  await load();
  const place = document.getElementById(id);
  if (!place) return;
  parted(id);
  const editor = monaco.editor.createDiffEditor(place, { ...looks(), readOnly: true, originalEditable: false, renderOverviewRuler: false, renderSideBySide: innerWidth > 900, ariaLabel: `Changes of ${path}` });
  const models = { original: monaco.editor.createModel(was, languageOf(path)), modified: monaco.editor.createModel(is, languageOf(path)) };
  editor.setModel(models);
  diffs.set(id, { editor, models });
}

export function parted(id) {
  const one = diffs.get(id);
  if (!one) return;
  diffs.delete(id);
  one.editor.dispose();
  one.models.original.dispose();
  one.models.modified.dispose();
}

// ---- the screen around it ----

// Keys that hold wherever one is on the screen.
export function attend(root, talk) {
  leave();
  const end = new AbortController();
  const panes = () => ['.p-tree', '.p-edit', '.p-trace', '.p-cons'].map(name => root.querySelector(name));
  const enter = pane => {
    if (!pane) return;
    const number = ['.p-tree', '.p-edit', '.p-trace', '.p-cons'].findIndex(name => pane.matches(name));
    const tab = root.querySelectorAll('.pane-tabs input')[number];
    if (tab?.offsetParent) tab.click();
    (pane.querySelector('[role=treeitem][tabindex="0"]') ?? pane.querySelector('.editor:not([hidden]) textarea, textarea') ?? pane.querySelector('button, a, input') ?? pane).focus();
  };
  document.addEventListener('keydown', event => {
    const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (command && event.key.toLowerCase() === 's') {
      event.preventDefault();
      root.querySelector('[data-save]')?.click();
    } else if (command && event.key.toLowerCase() === 'p') {
      event.preventDefault();
      event.stopPropagation();
      tell(talk, 'FindAsync').catch(() => {});
    } else if (command && /^[1-4]$/.test(event.key)) {
      event.preventDefault();
      enter(panes()[event.key - 1]);
    } else if (event.key === 'F6') {
      event.preventDefault();
      const all = panes().filter(pane => pane);
      const here = all.findIndex(pane => pane.contains(document.activeElement));
      enter(all[(here + (event.shiftKey ? all.length - 1 : 1)) % all.length]);
    }
  }, { capture: true, signal: end.signal });
  root.querySelector('h1')?.addEventListener('focus', () => {
    [...documents.values()].find(one => document.getElementById(one.id)?.offsetParent)?.editor.focus();
  }, { signal: end.signal });
  const tree = root.querySelector('[role=tree]');
  if (tree) keysOf(tree, (item, key) => walk(tree, item, key, talk), end.signal);
  screen = end;
}

export function leave() {
  screen?.abort();
  screen = undefined;
}

let typed = '';
let typedAt = 0;

function walk(tree, item, key, talk) {
  const all = [...tree.querySelectorAll('[role=treeitem]')];
  const here = all.indexOf(item);
  const go = to => {
    if (!to) return;
    for (const one of all) one.tabIndex = one === to ? 0 : -1;
    to.focus();
  };
  const open = item.getAttribute('aria-expanded');
  const press = () => {
    item.click();
    return open ? 'folds' : undefined;
  };
  const keys = {
    ArrowDown: () => go(all[here + 1]),
    ArrowUp: () => go(all[here - 1]),
    Home: () => go(all[0]),
    End: () => go(all.at(-1)),
    ArrowRight: () => (open === 'false' ? press() : open === 'true' ? go(all[here + 1]) : undefined),
    ArrowLeft: () => (open === 'true' ? press() : go(all.slice(0, here).findLast(one => one.hasAttribute('aria-expanded')))),
    Enter: press,
    ' ': press,
    F2: () => { if (item.dataset.path) tell(talk, 'MoveAsync', item.dataset.path).catch(() => {}); },
    Delete: () => { if (item.dataset.path) tell(talk, 'DeleteAsync', item.dataset.path).catch(() => {}); },
  };
  const act = keys[key];
  if (act) return act() ?? true;
  if (key.length !== 1) return false;
  const now = Date.now();
  typed = (now - typedAt < 700 ? typed : '') + key.toLowerCase();
  typedAt = now;
  go([...all.slice(here + (typed.length === 1 ? 1 : 0)), ...all].find(one => one.textContent.trim().toLowerCase().startsWith(typed)));
  return true;
}

export function showModal(dialog) {
  if (!dialog.open) dialog.showModal();
}
