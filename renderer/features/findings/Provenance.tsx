import { useState } from 'react'
import type { InferenceRun } from '#common/contract/inference.ts'
import { countText } from '../../ui/format.ts'

function short(digest: string): string {
  return `${digest.slice(0, 12)}…`
}

/** Which model, which file, on what, where and why there, and how long each step took. */
export function Provenance({ run }: { run: InferenceRun }) {
  const [open, setOpen] = useState(false)
  const { provenance } = run
  const total = run.timings.reduce((sum, timing) => sum + timing.ms, 0)
  const rows: [string, string, string?][] = [
    ['Model', `${provenance.modelId} ${provenance.modelVersion} (${provenance.rolloutStage})`],
    ['Digest', short(provenance.modelDigest), provenance.modelDigest],
    ['Provider', provenance.provider.toUpperCase()],
    ['Runtime', provenance.runtime],
    ['Input', countText(provenance.inputSopInstanceUIDs.length, 'image')],
    ['Preprocessing', short(provenance.preprocessingDigest), provenance.preprocessingDigest],
    ['Started', provenance.startedAt.replace('T', ' ').slice(0, 19)],
    ['Made by', provenance.app],
  ]
  return (
    <div className="provenance" data-testid="provenance">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Hide provenance' : 'Provenance'} · {provenance.provider.toUpperCase()} · {(total / 1000).toFixed(1)} s
      </button>
      {open && (
        <>
          <dl>
            {rows.map(([name, value, full]) => (
              <div key={name} title={full}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {provenance.providerNotes.map((note) => (
            <p key={note}>{note}</p>
          ))}
          <dl>
            {run.timings.map((timing) => (
              <div key={timing.step}>
                <dt>{timing.step}</dt>
                <dd>{timing.ms < 1000 ? `${Math.round(timing.ms)} ms` : `${(timing.ms / 1000).toFixed(2)} s`}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </div>
  )
}
