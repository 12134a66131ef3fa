import { ArrowRight } from 'lucide-react'
import { useEffect } from 'react'
import { goTo } from '../../app/router.ts'
import { ageAt, bytesText, countText, dicomDate, dicomTime, personName } from '../../ui/format.ts'
import { loadDetail, useWorklist } from './store.ts'
import { Thumbnail } from './Thumbnail.tsx'

/** What the selected study holds, before it is opened. */
export function PreviewPanel() {
  const study = useWorklist((state) => state.studies.find((entry) => entry.studyInstanceUID === state.selected))
  const detail = useWorklist((state) => (state.selected === null ? undefined : state.details[state.selected]))
  const runs = useWorklist((state) => (state.selected === null ? undefined : state.runs[state.selected]))
  const uid = study?.studyInstanceUID
  const instances = study?.instances
  useEffect(() => {
    // Read again when an import has added to it.
    if (uid !== undefined && instances !== undefined) void loadDetail(uid)
  }, [uid, instances])
  if (study === undefined || uid === undefined)
    return <aside className="preview empty" aria-label="Study preview" data-testid="preview" />
  const facts: [string, string | null][] = [
    ['Patient ID', study.patientId],
    [
      'Born',
      [dicomDate(study.patientBirthDate), ageAt(study.patientBirthDate, study.studyDate)]
        .filter((part) => part)
        .join(' · '),
    ],
    ['Sex', study.patientSex],
    ['Study', [dicomDate(study.studyDate), dicomTime(study.studyTime)].join(' ').trim()],
    ['Accession', study.accessionNumber],
    ['Institution', study.institution],
    ['Referrer', study.referringPhysician === null ? null : personName(study.referringPhysician)],
    ['Size', `${countText(study.instances, 'image')}, ${bytesText(study.bytes)}`],
  ]
  const done = (runs ?? []).filter((run) => run.status === 'done')
  return (
    <aside className="preview" aria-label="Study preview" data-testid="preview">
      <header>
        <h2>{personName(study.patientName)}</h2>
        <p>{study.description ?? 'No description'}</p>
        <button
          type="button"
          className="button primary"
          data-testid="open-study"
          onClick={() => goTo({ name: 'study', studyUid: uid })}
        >
          Open study <ArrowRight size={14} aria-hidden />
        </button>
      </header>
      <dl>
        {facts.map(([name, value]) =>
          value === null || value === '' ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {done.length > 0 && (
        <>
          <h3>AI results</h3>
          <ul className="preview-runs">
            {done.slice(0, 4).map((run) => (
              <li key={run.id}>
                <span>
                  {run.provenance.modelId} {run.provenance.modelVersion}
                </span>
                <span className="faint">
                  {countText(run.findings.filter((finding) => finding.positive).length, 'finding')}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Series</h3>
      <ul className="preview-series">
        {(detail?.seriesList ?? []).map((series) => (
          <li key={series.seriesInstanceUID} title={series.description ?? undefined}>
            <Thumbnail
              className="large"
              resource={`studies/${uid}/series/${series.seriesInstanceUID}`}
              label={series.description ?? series.modality}
            />
            <div className="line">
              <span className="chip">{series.modality}</span>
              <span className="faint">{series.frames > 0 ? series.frames : series.instances}</span>
            </div>
            <div className="name">{series.description ?? `Series ${series.seriesNumber ?? ''}`}</div>
          </li>
        ))}
      </ul>
    </aside>
  )
}
