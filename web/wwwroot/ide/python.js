// Python as the editor colours it. Keys of a process or of the shared bag are told from other names.

export const language = 'eddy-python';

const own = 'self|shared|parent|child|new_child';

const colours = {
  defaultToken: '',
  keywords: ('False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while '
    + 'with yield').split(' '),
  tokenizer: {
    root: [
      [/\b(class|def)(\s+)([A-Za-z_]\w*)/, ['keyword', '', 'fn']],
      [new RegExp(`\\b(${own})(\\.)([A-Za-z_]\\w*)(?=\\s*\\()`), ['self', '', '']],
      [new RegExp(`\\b(${own})(\\.)([A-Za-z_]\\w*)`), ['self', '', 'key']],
      [new RegExp(`\\b(${own}|event|events)\\b`), 'self'],
      [/#.*$/, 'comment'],
      [/[fFrRbBuU]{0,2}"""/, 'string', '@double'],
      [/[fFrRbBuU]{0,2}'''/, 'string', '@single'],
      [/[fFrRbBuU]{0,2}"(?:[^"\\]|\\.)*"?/, 'string'],
      [/[fFrRbBuU]{0,2}'(?:[^'\\]|\\.)*'?/, 'string'],
      [/@[A-Za-z_][\w.]*/, 'fn'],
      [/0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[jJ]?/, 'number'],
      [/[A-Za-z_]\w*/, { cases: { '@keywords': 'keyword', '@default': '' } }],
    ],
    double: [[/[^"\\]+/, 'string'], [/\\./, 'string'], [/"""/, 'string', '@pop'], [/["\\]/, 'string']],
    single: [[/[^'\\]+/, 'string'], [/\\./, 'string'], [/'''/, 'string', '@pop'], [/['\\]/, 'string']],
  },
};

const habits = {
  comments: { lineComment: '#' },
  brackets: [['{', '}'], ['[', ']'], ['(', ')']],
  autoClosingPairs: [
    { open: '{', close: '}' }, { open: '[', close: ']' }, { open: '(', close: ')' },
    { open: '"', close: '"', notIn: ['string', 'comment'] }, { open: "'", close: "'", notIn: ['string', 'comment'] },
  ],
  surroundingPairs: [{ open: '{', close: '}' }, { open: '[', close: ']' }, { open: '(', close: ')' }, { open: '"', close: '"' }, { open: "'", close: "'" }],
};

export function register(monaco) {
  monaco.languages.register({ id: language });
  monaco.languages.setMonarchTokensProvider(language, colours);
  monaco.languages.setLanguageConfiguration(language, {
    ...habits,
    onEnterRules: [{
      beforeText: /^\s*(?:def|class|for|if|elif|else|while|try|with|finally|except|async|match|case)\b.*:\s*(?:#.*)?$/,
      action: { indentAction: monaco.languages.IndentAction.Indent },
    }],
  });
  monaco.languages.registerDocumentFormattingEditProvider(language, { provideDocumentFormattingEdits: model => tidy(monaco, model) });
}

// Changes no meaning: blanks at the ends of lines, but in texts of several lines, tabs where nothing else indents, and the end of the last line.
function tidy(monaco, model) {
  const lines = model.getLinesContent();
  const tokens = monaco.editor.tokenize(model.getValue(), language);
  const startsInText = line => tokens[line]?.[0]?.type.startsWith('string') && line > 0 && tokens[line - 1]?.at(-1)?.type.startsWith('string');
  const onlyTabs = !lines.some((text, i) => /^\t* /.test(text) && text.trim() && !startsInText(i));
  const edits = [];
  lines.forEach((text, i) => {
    const line = i + 1;
    const end = text.trimEnd().length;
    if (end < text.length && !startsInText(i) && (end === 0 || !tokens[i]?.at(-1)?.type.startsWith('string'))) {
      edits.push({ range: new monaco.Range(line, end + 1, line, text.length + 1), text: '' });
    }
    const tabs = /^\t+/.exec(text)?.[0].length ?? 0;
    if (tabs && tabs < text.length && end > tabs && onlyTabs && !startsInText(i)) {
      edits.push({ range: new monaco.Range(line, 1, line, tabs + 1), text: '    '.repeat(tabs) });
    }
  });
  if (lines.at(-1).trim()) {
    const at = new monaco.Range(lines.length, lines.at(-1).length + 1, lines.length, lines.at(-1).length + 1);
    edits.push({ range: at, text: '\n' });
  }
  return edits;
}
