import { relative, sep } from 'node:path'
import { brokenLayer } from './layers.ts'

interface ImportNode {
  source?: { value?: unknown } | null
}

interface RuleContext {
  filename: string
  cwd: string
  report(diagnostic: { node: unknown; message: string }): void
}

/** An oxlint plugin with one rule: imports keep to the layers. */
const layers = {
  create(context: RuleContext) {
    const file = relative(context.cwd, context.filename).split(sep).join('/')
    function check(node: ImportNode): void {
      const specifier = node.source?.value
      if (typeof specifier !== 'string') return
      const message = brokenLayer(file, specifier)
      if (message !== null) context.report({ node, message })
    }
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    }
  },
}

export default { meta: { name: 'alcove' }, rules: { layers } }
