import { resolve } from 'node:path'
import { AlcoveError } from '#common/errors.ts'
import type { InstalledModel } from '#common/contract/inference.ts'
import type { ModelRegistry } from '../inference/types.ts'
import { modelArgument } from './arguments.ts'
import type { Register } from './command.ts'
import { count, table } from './format.ts'
import { usageError } from './output.ts'

function describeList(models: InstalledModel[]): string {
  if (models.length === 0) return 'No models are installed.'
  const rows = models.map((model) => [
    `${model.id}@${model.version}`,
    model.task,
    model.modalities.join(','),
    model.source,
    model.title,
  ])
  return table(['model', 'task', 'modality', 'source', 'title'], rows)
}

/** Verifies one model, or all of them; a package that fails is part of the answer. */
async function verify(
  registry: ModelRegistry,
  name: string | undefined,
): Promise<{ model: string; ok: boolean; code: string | null; message: string }[]> {
  const wanted = name === undefined ? null : modelArgument(name)
  const listed = (await registry.list()).filter(
    (model) =>
      wanted === null || (model.id === wanted.id && (wanted.version === null || model.version === wanted.version)),
  )
  if (listed.length === 0 && wanted !== null) throw new AlcoveError('not-found', `Model ${name} is not installed.`)
  return Promise.all(
    listed.map(async ({ id, version }) => {
      const model = `${id}@${version}`
      try {
        const found = await registry.find(id, version)
        return { model, ok: true, code: null, message: `All files match their digests; model.onnx is ${found.digest}.` }
      } catch (error) {
        if (!(error instanceof AlcoveError)) throw error
        return { model, ok: false, code: error.code, message: error.message }
      }
    }),
  )
}

export const registerModels: Register = (program, run) => {
  const models = program.command('models').description('installed models')

  models
    .command('list')
    .description('what is installed')
    .action(
      run(async ({ models: registry, output }) => {
        const list = await (await registry()).list()
        output.result({ models: list }, () => describeList(list))
      }),
    )

  models
    .command('install')
    .description('verify a model package (folder or .zip) wholly, then install it')
    .argument('<path>')
    .action(
      run(async ({ models: registry, output }, [path]) => {
        const model = await (await registry()).install(resolve(path!))
        output.result({ installed: model }, () => `Installed ${model.id}@${model.version}: ${model.title}`)
      }),
    )

  models
    .command('verify')
    .description('compare every file of a model (or of all) with the digests of its manifest')
    .argument('[id[@version]]')
    .action(
      run(async ({ models: registry, output }, [name]) => {
        const checks = await verify(await registry(), name)
        output.result({ models: checks }, () =>
          table(
            ['model', 'state', ''],
            checks.map((check) => [check.model, check.ok ? 'intact' : (check.code ?? ''), check.message]),
          ),
        )
        return checks.every((check) => check.ok) ? 0 : 1
      }),
    )

  models
    .command('remove')
    .description('remove an installed model')
    .argument('<id@version>')
    .action(
      run(async ({ models: registry, output }, [name]) => {
        const { id, version } = modelArgument(name!)
        if (version === null) throw usageError('Name the version to remove, for example pet-lesion@1.0.0.')
        await (await registry()).remove(id, version)
        output.result({ removed: { id, version } }, () => `Removed ${count(1, 'model')}: ${id}@${version}.`)
      }),
    )

  models
    .command('card')
    .description('what a model was trained on, what it can and cannot do')
    .argument('<id[@version]>')
    .action(
      run(async ({ models: registry, output }, [name]) => {
        const { id, version } = modelArgument(name!)
        const markdown = await (await registry()).card(id, version)
        output.result({ id, version, markdown }, () => markdown.trimEnd())
      }),
    )
}
