import type { DicomJsonDataset } from '#common/dicom/json.ts'
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '#common/ids.ts'
import type { ImportRejection, ImportResult, StudyDetail, StudySummary } from '#common/contract/studies.ts'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { InstanceHead } from '../dicom/types.ts'

/** One row of the catalogue about an instance: what QIDO-RS and the viewer's loaders ask for most. */
export interface InstanceRecord {
  studyInstanceUID: StudyInstanceUID
  seriesInstanceUID: SeriesInstanceUID
  sopInstanceUID: SOPInstanceUID
  sopClassUID: string
  transferSyntaxUID: string
  instanceNumber: number | null
  rows: number | null
  columns: number | null
  frames: number
  bytes: number
  /** SHA-256 of the file as received, lower-case hex. */
  sha256: string
}

export interface StudyQuery {
  /** DICOM keyword or tag → value, matched as QIDO-RS does (wildcards * ?, date ranges, UID lists, case-insensitive names). */
  match: Record<string, string>
  /** Free text over patient name, id, accession, description. */
  search?: string
  sort?: 'studyDate' | 'patientName' | 'receivedAt' | 'patientId' | 'modalities' | 'description'
  descending?: boolean
  limit: number
  offset: number
}

/**
 * QIDO-RS below the person's study list: PS3.18 section 10.6. Rows are DICOM JSON, as the response wants them, without
 * Retrieve URL (0008,1190), which only the door that answers knows.
 */
export interface AttributeQuery {
  /**
   * Keyword, "GGGGEEEE" or a path through sequences ("00400275.00400009", "RequestAttributesSequence.ScheduledProcedureStepID")
   * → value. An empty value matches everything and asks for the attribute in the answer, as includefield does.
   */
  match: Record<string, string>
  /** Keywords or tags wanted beyond the default ones of PS3.18 tables 10.6.3-3 to -5; 'all' for everything the catalogue holds. */
  include?: readonly string[] | 'all'
  studyInstanceUID?: StudyInstanceUID
  seriesInstanceUID?: SeriesInstanceUID
  /** At most LIMITS.qidoPageSize rows come back. */
  limit: number
  offset: number
}

export interface AttributeRows {
  rows: DicomJsonDataset[]
  /** All that match, before limit and offset. */
  total: number
  /** Match keys that are no DICOM attribute Alcove can search by; they were not applied (answer with Warning 299). */
  ignored: string[]
}

export interface ReadFrame {
  bytes: Uint8Array
  transferSyntaxUID: string
}

/** Everything that only reads. Small indexed queries are synchronous; what moves pixels runs in a worker. */
export interface ReadableStudies {
  listStudies(query: StudyQuery): { studies: StudySummary[]; total: number }
  /**
   * Study level (0020,1206 / 0020,1208 counts and Modalities in Study included), series level, instance level. A search
   * below study level that names no study adds the upper levels' default attributes to its rows, as QIDO-RS asks.
   */
  searchStudies(query: AttributeQuery): AttributeRows
  searchSeries(query: AttributeQuery): AttributeRows
  searchInstances(query: AttributeQuery): AttributeRows
  /** null when there is no such study */
  study(studyInstanceUID: StudyInstanceUID): StudyDetail | null
  instances(studyInstanceUID: StudyInstanceUID, seriesInstanceUID?: SeriesInstanceUID): InstanceRecord[]
  instance(studyInstanceUID: StudyInstanceUID, sopInstanceUID: SOPInstanceUID): InstanceRecord | null
  /** DICOM JSON of every instance asked for (all of the study, or of one series), in catalogue order. @throws not-found, vault/locked */
  metadata(
    studyInstanceUID: StudyInstanceUID,
    filter?: { seriesInstanceUID?: SeriesInstanceUID; sopInstanceUID?: SOPInstanceUID },
  ): Promise<DicomJsonDataset[]>
  /** One frame (1-based) in its original transfer syntax, fragments joined. @throws not-found, dicom/no-pixels, store/corrupt */
  frame(studyInstanceUID: StudyInstanceUID, sopInstanceUID: SOPInstanceUID, frame: number): Promise<ReadFrame>
  /** The file as received, byte for byte; each piece is checked against the catalogue before it is given. @throws not-found, store/corrupt */
  file(studyInstanceUID: StudyInstanceUID, sopInstanceUID: SOPInstanceUID): AsyncIterable<Uint8Array>
  /** Bytes of the (inflated) file: bulk data. */
  bytes(
    studyInstanceUID: StudyInstanceUID,
    sopInstanceUID: SOPInstanceUID,
    offset: number,
    length: number,
  ): Promise<Uint8Array>
  /**
   * Reads a study wholly and compares every instance with the SHA-256 and part digests taken when it was received.
   * Empty `damaged`: everything is as it came.
   */
  verifyStudy(studyInstanceUID: StudyInstanceUID, options?: { signal?: AbortSignal }): Promise<StudyVerification>
  /** Newest first. */
  inferenceRuns(studyInstanceUID: StudyInstanceUID): InferenceRun[]
  /**
   * What the inference process gets: one study's file and key, never the vault. It reads with `openCapsule` of
   * ./capsule-reader.ts. @throws vault/locked
   */
  capsuleAccess(studyInstanceUID: StudyInstanceUID): CapsuleAccess
  /**
   * Where the series' acknowledged instances lie in that file, in catalogue order, with what the catalogue knows of
   * each: read by these keys, a page put back to an older state is noticed.
   */
  capsuleInstances(
    studyInstanceUID: StudyInstanceUID,
    seriesInstanceUID: SeriesInstanceUID,
  ): { sopInstanceUID: string; row: number; root: Uint8Array }[]
}

export interface CapsuleAccess {
  path: string
  /** 32 bytes; the receiver overwrites it when the capsule is open. */
  key: Uint8Array
  cipher: 'aegis-256' | 'sqlcipher'
}

export interface StudyVerification {
  instances: number
  bytes: number
  damaged: { sopInstanceUID: SOPInstanceUID; message: string }[]
}

export interface WritableStudies extends ReadableStudies {
  saveInferenceRun(run: InferenceRun): void
  setFindingReview(runId: string, findingId: string, review: 'pending' | 'accepted' | 'rejected'): InferenceRun
  /** Destroys the wrapped key first (crypto-shredding), then the file. */
  deleteStudy(studyInstanceUID: StudyInstanceUID): Promise<void>
  close(): Promise<void>
}

export type ImportSource =
  /** Files, folders, ZIPs, DICOMDIRs on this machine. */
  | { kind: 'path'; path: string }
  /** One uploaded file (STOW part, dropped file); `name` is what a rejection calls it. */
  | { kind: 'stream'; name: string; chunks: AsyncIterable<Uint8Array> }

export interface ImportProgress {
  /** Files settled (imported, duplicate or rejected). */
  done: number
  /** Files found so far; null while the search has not finished. */
  total: number | null
  bytes: number
  note: string
}

/** What became of one DICOM object (or of one source that held none). STOW-RS answers with these, object by object. */
export interface ImportOutcome {
  state: 'imported' | 'duplicate' | 'rejected'
  /** The path, or the stream's `name`. */
  name: string
  /** As far as it was read before a rejection; null when nothing was. */
  head: Pick<InstanceHead, 'studyInstanceUID' | 'seriesInstanceUID' | 'sopInstanceUID' | 'sopClassUID'> | null
  /** Why it was rejected. */
  rejection: ImportRejection | null
}

export interface ImportOptions {
  signal?: AbortSignal
  onProgress?: (progress: ImportProgress) => void
  /** Called once per object, after it was acknowledged or rejected. */
  onOutcome?: (outcome: ImportOutcome) => void
  /** Objects of any other study are rejected (store/conflict): STOW-RS to /studies/{study}. */
  onlyStudy?: StudyInstanceUID
}

export interface Importer {
  /**
   * Brings in everything the sources hold. Never throws for one bad file. When `signal` aborts, what was
   * acknowledged stays and the promise rejects with task/cancelled.
   */
  import(sources: Iterable<ImportSource> | AsyncIterable<ImportSource>, options?: ImportOptions): Promise<ImportResult>
}
