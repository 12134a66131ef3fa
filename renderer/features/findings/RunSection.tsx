import { Check, ChevronRight, X } from 'lucide-react'
import { useState } from 'react'
import type { Finding, InferenceRun } from '#common/contract/inference.ts'
import { api } from '../../app/api.ts'
import { IconButton } from '../../ui/controls.tsx'
import { countText } from '../../ui/format.ts'
import { formatValue } from '../../viewer/measurements.ts'
import { useSession } from '../reading/context.ts'
import { useReading } from '../reading/store.ts'
import { Meter } from './Meter.tsx'
import { Provenance } from './Provenance.tsx'

function facts(finding: Finding): string[] {
  const lines: string[] = []
  if (finding.volumeMl !== null)
    lines.push(`${finding.volumeMl < 10 ? finding.volumeMl.toFixed(2) : finding.volumeMl.toFixed(1)} ml`)
  if (finding.longestAxialDiameterMm !== null) lines.push(`⌀ ${finding.longestAxialDiameterMm.toFixed(0)} mm`)
  const { measurements } = finding
  if (measurements !== null) {
    const suv = measurements.unit.startsWith('SUV')
    lines.push(
      suv
        ? `SUVmax ${formatValue(measurements.max, 'SUV')}`
        : `mean ${formatValue(measurements.mean, measurements.unit)} ${measurements.unit}`,
    )
  }
  return lines
}

interface FindingCardProps {
  run: InferenceRun
  finding: Finding
  selected: boolean
  number: number
}

function FindingCard({ run, finding, selected, number }: FindingCardProps) {
  const session = useSession()
  const choose = (): void => {
    useReading.setState({ selectedFinding: { runId: run.id, findingId: finding.id } })
    void session.jumpToFinding(finding)
  }
  const review = (value: Finding['review']): void => {
    const next = finding.review === value ? 'pending' : value
    void api
      .reviewFinding({ params: { run: run.id, finding: finding.id }, body: { review: next } })
      .then((updated) => session.takeRun(updated))
      .catch(() => undefined)
  }
  const percent = Math.round(finding.confidence * 100)
  return (
    <li
      className={`finding review-${finding.review}${selected ? ' selected' : ''}`}
      data-testid="finding"
      data-review={finding.review}
      data-selected={selected}
    >
      <button type="button" className="finding-main" data-testid="finding-jump" onClick={choose}>
        <span className="finding-title">
          <b>{finding.kind === 'region' ? `${number}  ${finding.label}` : finding.label}</b>
          <span>{percent} %</span>
        </span>
        <Meter value={finding.confidence} positive={finding.positive} label={`Confidence ${percent} %`} />
        {finding.where !== null && <span className="finding-where">{finding.where}</span>}
        <span className="finding-facts">
          {finding.kind === 'classification' && <span>{finding.positive ? 'Above threshold' : 'Below threshold'}</span>}
          {facts(finding).map((line) => (
            <span key={line}>{line}</span>
          ))}
        </span>
      </button>
      <span className="finding-actions">
        <IconButton
          label="Accept"
          pressed={finding.review === 'accepted'}
          side="left"
          testId="accept"
          onClick={() => review('accepted')}
        >
          <Check size={15} />
        </IconButton>
        <IconButton
          label="Reject"
          pressed={finding.review === 'rejected'}
          side="left"
          testId="reject"
          onClick={() => review('rejected')}
        >
          <X size={15} />
        </IconButton>
      </span>
    </li>
  )
}

/** One run of one model: its findings, and behind a fold how they came about. */
export function RunSection({ run, initiallyOpen }: { run: InferenceRun; initiallyOpen: boolean }) {
  const [open, setOpen] = useState(initiallyOpen)
  const selected = useReading((state) => state.selectedFinding)
  const { provenance } = run
  return (
    <section className="section run" data-testid="run" data-run={run.id} data-status={run.status}>
      <button type="button" className="run-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} className={open ? 'turned' : ''} aria-hidden />
        <b>{provenance.modelId}</b>
        <span className="faint">{provenance.modelVersion}</span>
        <span className="run-count">
          {run.status === 'done' ? countText(run.findings.length, 'finding') : run.status}
        </span>
      </button>
      {open && (
        <>
          {run.warnings.map((warning) => (
            <p key={warning} className="run-warning">
              {warning}
            </p>
          ))}
          {run.findings.length === 0 && run.status === 'done' && <p className="faint none">Nothing found.</p>}
          <ul>
            {run.findings.map((finding, at) => (
              <FindingCard
                key={finding.id}
                run={run}
                finding={finding}
                number={at + 1}
                selected={selected?.runId === run.id && selected.findingId === finding.id}
              />
            ))}
          </ul>
          <Provenance run={run} />
        </>
      )}
    </section>
  )
}
