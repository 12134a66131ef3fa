import type { RefObject } from 'react'
import { text } from '#common/dicom/json.ts'
import { dicomDate, dicomTime, personName } from '../../ui/format.ts'
import { formatWindow } from '../../viewer/measurements.ts'
import { depthMm } from '../../viewer/frames-of-series.ts'
import { isSolid, type PaneState } from './layouts.ts'
import { useReading } from './store.ts'

const PLANE_NAMES: Record<PaneState['kind'], string> = {
  stack: '',
  axial: 'Axial',
  sagittal: 'Sagittal',
  coronal: 'Coronal',
  volume: '3D',
  mip: 'MIP',
}

function Lines({ corner, lines }: { corner: string; lines: (string | null | undefined)[] }) {
  const shown = lines.filter((line): line is string => line != null && line.trim() !== '')
  return (
    <div className={`corner ${corner}`} data-testid={`corner-${corner}`}>
      {shown.map((line, at) => (
        // The lines of a corner have no identity but their place.
        <div key={`${at}-${line.length}`}>{line}</div>
      ))}
    </div>
  )
}

/** Who, what, how and where, in the four corners; the patient's directions on the edges. */
export function Corners({ pane, readout }: { pane: PaneState; readout: RefObject<HTMLSpanElement | null> }) {
  const study = useReading((state) => state.study)
  const shown = useReading((state) => state.snapshots[pane.key] ?? null)
  const facts = useReading((state) => (pane.seriesUid === null ? undefined : state.facts[pane.seriesUid]))
  const series = study?.seriesList.find((entry) => entry.seriesInstanceUID === pane.seriesUid)
  if (study === null || series === undefined) return null
  const frame = shown?.frame ?? null
  const unit = facts?.unit === 'SUVbw' ? 'SUV' : facts?.unit === 'stored' ? '' : (facts?.unit ?? '')
  const width = shown === null ? 0 : shown.voi.upper - shown.voi.lower
  const centre = shown === null ? 0 : (shown.voi.upper + shown.voi.lower) / 2
  const location = frame === null ? null : depthMm(frame)
  const letters = shown?.letters
  const compact = pane.kind !== 'stack'
  return (
    <div className="corners">
      <Lines
        corner="tl"
        lines={[
          personName(study.patientName),
          study.patientId,
          compact ? null : [dicomDate(study.patientBirthDate), study.patientSex].filter((part) => part).join('  '),
        ]}
      />
      <Lines
        corner="tr"
        lines={
          compact
            ? [study.description, [dicomDate(study.studyDate), dicomTime(study.studyTime)].join(' ')]
            : [
                study.institution,
                study.description,
                study.accessionNumber,
                [dicomDate(study.studyDate), dicomTime(study.studyTime)].join(' '),
              ]
        }
      />
      <div className="corner bl" data-testid="corner-bl">
        <div>
          <span ref={readout} className="probe" data-testid="probe" />
        </div>
        {shown !== null && !isSolid(pane.kind) && (
          <>
            <div>
              W {formatWindow(width, unit)} L {formatWindow(centre, unit)} {unit}
            </div>
            <div>Zoom {Math.round(shown.zoom * 100)} %</div>
            {facts?.modality === 'PT' && facts.unit !== 'SUVbw' && (
              <div className="no-suv" data-testid="no-suv">
                Not SUV: {facts.unitReason}
              </div>
            )}
            <div data-testid="slice">
              {shown.index + 1} / {shown.count}
            </div>
          </>
        )}
      </div>
      <Lines
        corner="br"
        lines={[
          [PLANE_NAMES[pane.kind], pane.fusedUid === null ? '' : 'PET on CT'].filter((part) => part).join(' · '),
          compact ? null : (text(frame?.dataset ?? {}, '0008103E') ?? series.description),
          `${series.modality}${series.seriesNumber === null ? '' : `  Se ${series.seriesNumber}`}${frame?.instanceNumber == null ? '' : `  Im ${frame.instanceNumber}`}`,
          frame?.thicknessMm == null
            ? null
            : `T ${frame.thicknessMm.toFixed(1)} mm${location === null ? '' : `  P ${location.toFixed(1)} mm`}`,
        ]}
      />
      {frame?.lossy === true && (
        <span className="lossy" data-testid="lossy">
          Lossy
        </span>
      )}
      {letters != null && (
        <>
          <span className="edge top">{letters.top}</span>
          <span className="edge right">{letters.right}</span>
          <span className="edge bottom">{letters.bottom}</span>
          <span className="edge left">{letters.left}</span>
        </>
      )}
    </div>
  )
}
