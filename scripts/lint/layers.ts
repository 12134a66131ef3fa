import { posix } from 'node:path'

/**
 * Who may import whom: the design's layers as one table. A key is a room (the longest folder prefix that matches wins),
 * its value the rooms it may import besides itself. `*` stands for any room below that folder.
 */
const LAYERS: Record<string, readonly string[]> = {
  common: [],
  node: ['common'],
  preload: ['common'],
  renderer: ['common'],
  'renderer/viewer': ['common', 'renderer'],
  e2e: ['common', 'node', 'main/*'],
  scripts: ['common', 'node', 'main/*'],
  main: ['common', 'node'],
  'main/vault': ['common', 'node'],
  'main/dicom': ['common', 'node'],
  'main/demo': ['common', 'node', 'main/dicom'],
  'main/models': ['common', 'node'],
  'main/studies': ['common', 'node', 'main', 'main/dicom', 'main/vault'],
  'main/inference': ['common', 'node', 'main', 'main/dicom', 'main/models', 'main/studies', 'main/vault'],
  'main/api': ['common', 'node', 'main', 'main/dicom', 'main/studies', 'main/vault', 'main/inference', 'main/models'],
  'main/shell': ['common', 'node', 'main'],
  'main/shell/electron': ['common', 'node', 'main', 'main/shell', 'main/inference'],
  'main/cli': ['common', 'node', 'main/*'],
}

/** The composition roots: the only files that may reach every room of `main`. */
const COMPOSITION_ROOTS = [
  /^main\/workstation(?:-[a-z-]+)?\.ts$/,
  /^main\/shell\/start\.ts$/,
  /^main\/shell\/electron\/main\.ts$/,
]

/** Packages that may be imported in some rooms only. */
const PACKAGE_RULES: { pattern: RegExp; allowedIn: RegExp; why: string }[] = [
  {
    pattern: /^electron(?:\/|$)/,
    allowedIn: /^(?:main\/shell\/electron|preload\/)/,
    why: 'Electron is imported only in main/shell/electron and preload.',
  },
  {
    pattern: /^(?:@cornerstonejs|@kitware)\//,
    allowedIn: /^(?:renderer\/viewer\/|main\/dicom\/codecs\/|renderer\/[a-z-]+\.d\.ts$)/,
    why: 'cornerstone and vtk.js are imported only in renderer/viewer (its codecs also in main/dicom/codecs).',
  },
  {
    pattern: /^better-sqlite3/,
    allowedIn: /^(?:main\/studies\/|node\/|scripts\/)/,
    why: 'SQLite is opened only by the store.',
  },
  {
    pattern: /^onnxruntime-node/,
    allowedIn: /^(?:main\/inference\/|scripts\/)/,
    why: 'The ONNX runtime is loaded only by the inference engine.',
  },
  {
    pattern: /^node:/,
    allowedIn: /^(?!(?:common|renderer|preload)\/)/,
    why: 'common, renderer and preload know no Node.',
  },
]

function roomOf(path: string): string | null {
  const matches = Object.keys(LAYERS).filter((room) => path === room || path.startsWith(`${room}/`))
  return matches.toSorted((a, b) => b.length - a.length)[0] ?? null
}

function isAllowed(from: string, to: string): boolean {
  if (from === to) return true
  return (LAYERS[from] ?? []).some((entry) =>
    entry.endsWith('/*') ? to === entry.slice(0, -2) || to.startsWith(entry.slice(0, -1)) : entry === to,
  )
}

/**
 * @param file the importing file, from the repository's root, with forward slashes
 * @param specifier what stands in the import
 * @returns the broken rule as a sentence, or null when the import is allowed
 */
export function brokenLayer(file: string, specifier: string): string | null {
  for (const rule of PACKAGE_RULES) {
    if (rule.pattern.test(specifier) && !rule.allowedIn.test(file) && !isTest(file)) return rule.why
  }
  const target = specifier.startsWith('#')
    ? specifier.slice(1)
    : specifier.startsWith('.')
      ? posix.join(posix.dirname(file), specifier)
      : null
  if (target === null) return null
  const from = roomOf(file)
  const to = roomOf(target)
  if (from === null || to === null || from === to) return null
  const sameTop = from.split('/')[0] === to.split('/')[0]
  if (isTest(file) && sameTop) return null
  if (COMPOSITION_ROOTS.some((root) => root.test(file)) && sameTop) return null
  // A screen may use the viewer's adapter; the adapter may use the ui.
  if (from === 'renderer' && to === 'renderer/viewer') return null
  if (isAllowed(from, to)) return null
  return `${from} must not import ${to}; the layers are in scripts/lint/layers.ts.`
}

function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file) || /\/testing\//.test(file)
}
