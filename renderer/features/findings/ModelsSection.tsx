import { Play, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { InstalledModel } from '#common/contract/inference.ts'
import type { Task } from '#common/contract/tasks.ts'
import { toAlcoveError } from '#common/errors.ts'
import { api } from '../../app/api.ts'
import { onAppEvent } from '../../app/events.ts'
import { Bar, IconButton, nextStep } from '../../ui/controls.tsx'
import { useReading } from '../reading/store.ts'

interface Running {
  task: Task
  modelId: string
}

function ModelRow({ model, seriesUid }: { model: InstalledModel; seriesUid: string | null }) {
  const study = useReading((state) => state.study)
  const [running, setRunning] = useState<Running | null>(null)
  const [trouble, setTrouble] = useState<{ code: string; message: string } | null>(null)
  const taskId = running?.task.id

  useEffect(() => {
    if (taskId === undefined) return
    const take = (task: Task): void => {
      if (task.id !== taskId) return
      if (task.state === 'running') setRunning({ task, modelId: model.id })
      else {
        setRunning(null)
        if (task.error !== null && task.state === 'failed') setTrouble(task.error)
      }
    }
    // The task may have ended between the answer to "start" and this subscription.
    void api
      .getTask({ params: { task: taskId } })
      .then(take)
      .catch(() => undefined)
    return onAppEvent((event) => {
      if (event.type === 'task') take(event.task)
    })
  }, [taskId, model.id])

  const run = async (): Promise<void> => {
    if (study === null) return
    setTrouble(null)
    try {
      const task = await api.startInference({
        body: {
          studyInstanceUID: study.studyInstanceUID,
          seriesInstanceUID: seriesUid,
          model: model.id,
          version: model.version,
        },
      })
      setRunning({ task, modelId: model.id })
    } catch (error) {
      const known = toAlcoveError(error)
      setTrouble({ code: known.code, message: known.message })
    }
  }
  const progress = running?.task.progress
  return (
    <div className="model" data-testid="model" data-model={model.id}>
      <div className="model-line">
        <div title={model.summary}>
          <b>{model.title}</b>
          <span className="faint">
            {model.modalities.join(', ')} · {model.version}
          </span>
        </div>
        {running === null ? (
          <button type="button" className="button small" data-testid="run-model" onClick={() => void run()}>
            <Play size={12} aria-hidden /> Run
          </button>
        ) : (
          <IconButton
            label="Cancel"
            side="left"
            testId="cancel-model"
            onClick={() => void api.cancelTask({ params: { task: running.task.id } }).catch(() => undefined)}
          >
            <X size={15} />
          </IconButton>
        )}
      </div>
      {progress !== undefined && (
        <>
          <Bar
            value={progress.total === null || progress.total === 0 ? null : progress.done / progress.total}
            label={`${model.title} running`}
          />
          <div className="model-note">{progress.note}</div>
        </>
      )}
      {trouble !== null && (
        <div className="model-trouble" role="alert" data-code={trouble.code}>
          {trouble.message} {nextStep(trouble.code)} <code>{trouble.code}</code>
        </div>
      )}
    </div>
  )
}

/** Models whose modality this study has, each with a button. */
export function ModelsSection() {
  const study = useReading((state) => state.study)
  const [models, setModels] = useState<InstalledModel[]>([])
  useEffect(() => {
    void api
      .listModels()
      .then((answer) => setModels(answer.models))
      .catch(() => undefined)
  }, [])
  const fitting = models.filter((model) => model.modalities.some((modality) => study?.modalities.includes(modality)))
  return (
    <section className="section">
      <h2>Models</h2>
      {fitting.length === 0 ? (
        <p className="faint none">No installed model fits this study.</p>
      ) : (
        fitting.map((model) => <ModelRow key={`${model.id} ${model.version}`} model={model} seriesUid={null} />)
      )}
    </section>
  )
}
