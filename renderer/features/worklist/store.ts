import { create } from 'zustand'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { StudyDetail, StudySummary } from '#common/contract/studies.ts'
import type { STUDY_SORTS } from '#common/contract/routes.ts'
import { toAlcoveError } from '#common/errors.ts'
import { api } from '../../app/api.ts'

export type SortKey = (typeof STUDY_SORTS)[number]

interface WorklistState {
  studies: StudySummary[]
  total: number
  loading: boolean
  loadedOnce: boolean
  trouble: { code: string; message: string } | null
  search: string
  sort: SortKey
  descending: boolean
  selected: string | null
  details: Record<string, StudyDetail>
  runs: Record<string, InferenceRun[]>
}

export const useWorklist = create<WorklistState>()(() => ({
  studies: [],
  total: 0,
  loading: false,
  loadedOnce: false,
  trouble: null,
  search: '',
  sort: 'studyDate',
  descending: true,
  selected: null,
  details: {},
  runs: {},
}))

const PAGE = 500
let request = 0

/** Reads the list anew from its start; an older answer that comes later is dropped. */
export async function reload(): Promise<void> {
  const ticket = ++request
  useWorklist.setState({ loading: true })
  const { search, sort, descending } = useWorklist.getState()
  try {
    const query = { sort, descending, limit: PAGE, ...(search.trim() === '' ? {} : { search: search.trim() }) }
    const answer = await api.listStudies({ query })
    if (ticket !== request) return
    useWorklist.setState((state) => ({
      ...answer,
      loading: false,
      loadedOnce: true,
      trouble: null,
      selected: answer.studies.some((study) => study.studyInstanceUID === state.selected)
        ? state.selected
        : (answer.studies[0]?.studyInstanceUID ?? null),
    }))
  } catch (error) {
    if (ticket !== request) return
    const known = toAlcoveError(error)
    useWorklist.setState({ loading: false, trouble: { code: known.code, message: known.message } })
  }
}

/** The next page, when the end of the list comes near. */
export async function loadMore(): Promise<void> {
  const { studies, total, loading, search, sort, descending } = useWorklist.getState()
  if (loading || studies.length >= total) return
  const ticket = ++request
  useWorklist.setState({ loading: true })
  try {
    const query = { sort, descending, limit: PAGE, offset: studies.length }
    const answer = await api.listStudies({ query: search.trim() === '' ? query : { ...query, search: search.trim() } })
    if (ticket !== request) return
    useWorklist.setState({ studies: [...studies, ...answer.studies], total: answer.total, loading: false })
  } catch {
    if (ticket === request) useWorklist.setState({ loading: false })
  }
}

let searchTimer: number | undefined
const SEARCH_PAUSE_MS = 120

export function setSearch(search: string): void {
  useWorklist.setState({ search })
  window.clearTimeout(searchTimer)
  searchTimer = window.setTimeout(() => void reload(), SEARCH_PAUSE_MS)
}

/** A second click on the same column turns the order round; dates start with the newest. */
export function sortBy(sort: SortKey): void {
  useWorklist.setState((state) => ({
    sort,
    descending: state.sort === sort ? !state.descending : sort === 'studyDate' || sort === 'receivedAt',
  }))
  void reload()
}

export function select(studyUid: string): void {
  useWorklist.setState({ selected: studyUid })
}

export async function loadDetail(studyUid: string): Promise<void> {
  try {
    const detail = await api.getStudy({ params: { study: studyUid } })
    useWorklist.setState((state) => ({ details: { ...state.details, [studyUid]: detail } }))
  } catch {
    // The row itself already shows what is known.
  }
}

const asked = new Set<string>()

/** AI results of a study, asked for once a row has come into view. */
export async function loadRuns(studyUid: string, again = false): Promise<void> {
  if (asked.has(studyUid) && !again) return
  asked.add(studyUid)
  try {
    const { runs } = await api.listRuns({ params: { study: studyUid } })
    useWorklist.setState((state) => ({ runs: { ...state.runs, [studyUid]: runs } }))
  } catch {
    asked.delete(studyUid)
  }
}

export type AiStatus = { kind: 'none' } | { kind: 'clear' } | { kind: 'findings'; count: number; pending: number }

/** What a row says about AI: the newest run of each model counts. */
export function aiStatus(runs: InferenceRun[] | undefined): AiStatus {
  const done = (runs ?? []).filter((run) => run.status === 'done')
  if (done.length === 0) return { kind: 'none' }
  const seen = new Set<string>()
  let count = 0
  let pending = 0
  for (const run of done) {
    const key = `${run.provenance.modelId} ${run.seriesInstanceUID}`
    if (seen.has(key)) continue
    seen.add(key)
    for (const finding of run.findings) {
      if (!finding.positive || finding.review === 'rejected') continue
      count++
      if (finding.review === 'pending') pending++
    }
  }
  return count === 0 ? { kind: 'clear' } : { kind: 'findings', count, pending }
}
