import type { Handlers } from './handler.ts'
import { requireStudy } from './studies.ts'

export const modelHandlers: Pick<
  Handlers,
  'listModels' | 'modelCard' | 'listProviders' | 'startInference' | 'reviewFinding'
> = {
  listModels: async (_, { workstation }) => ({ models: await workstation.models.list() }),

  modelCard: async ({ params, query }, { workstation }) => ({
    markdown: await workstation.models.card(params.model, query.version ?? null),
  }),

  listProviders: async (_, { workstation }) => ({ providers: await workstation.inference.providers() }),

  async startInference({ body }, { workstation }) {
    requireStudy(workstation, body.studyInstanceUID)
    // Found before the task starts, so that a wrong name is an answer and not a failed task.
    await workstation.models.find(body.model, body.version)
    const { task } = workstation.tasks.start('inference', ({ signal, report }) =>
      workstation.inference.run(body, { signal, onProgress: report }),
    )
    return task
  },

  reviewFinding({ params, body }, { workstation }) {
    const run = workstation.studies.setFindingReview(params.run, params.finding, body.review)
    workstation.events.publish({ type: 'findings-changed', studyInstanceUID: run.studyInstanceUID })
    return run
  },
}
