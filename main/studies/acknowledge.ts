import { number as numberOf, text } from '#common/dicom/json.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import type { PersonNameJson } from '#common/dicom/json.ts'
import type { SealedKey } from '../vault/types.ts'
import type { InstanceHead } from '../dicom/types.ts'
import { keptAttributes } from './attributes.ts'
import { withStoreErrors } from './database.ts'
import type { Cipher, Connection } from './database.ts'
import { fold } from './match.ts'

/** One instance that lies durably in its capsule and is to become visible. */
export interface StoredInstance {
  head: InstanceHead
  capsuleRow: number
  bytes: number
  sha256: Uint8Array
  root: Uint8Array
}

export interface NewCapsule {
  id: string
  sealedKey: SealedKey
  cipher: Cipher
}

/**
 * Makes instances visible: the one transaction that acknowledges them. Study and series rows are made from the first of
 * their instances; counts are kept so that a list needs no aggregate.
 */
export class Acknowledger {
  readonly #connection: Connection
  readonly #insertCapsule
  readonly #findStudy
  readonly #insertStudy
  readonly #findSeries
  readonly #insertSeries
  readonly #insertInstance
  readonly #countSeries
  readonly #countStudy

  constructor(connection: Connection) {
    this.#connection = connection
    this.#insertCapsule = connection.prepare<[string, Uint8Array, string, string]>(
      'INSERT INTO capsule (id, sealed_key, cipher, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#findStudy = connection.prepare<[string], number>('SELECT id FROM study WHERE uid = ?').pluck()
    this.#insertStudy = connection.prepare(
      `INSERT INTO study (uid, capsule, patient_name, patient_id, patient_birth_date, patient_sex, study_date,
         study_time, accession_number, description, referring_physician, institution, search_text, sort_name,
         attributes, received_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#findSeries = connection
      .prepare<[number, string], number>('SELECT id FROM series WHERE study = ? AND uid = ?')
      .pluck()
    this.#insertSeries = connection.prepare(
      `INSERT INTO series (study, uid, modality, number, description, body_part, attributes)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertInstance = connection.prepare(
      `INSERT INTO instance (series, uid, capsule_row, sop_class, transfer_syntax, number, rows, columns, frames, bytes,
         sha256, root, attributes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#countSeries = connection.prepare<[number, number, number]>(
      'UPDATE series SET instances = instances + 1, frames = frames + ?, bytes = bytes + ? WHERE id = ?',
    )
    this.#countStudy = connection.prepare<[number, number, number]>(
      `UPDATE study SET instances = instances + ?, bytes = bytes + ?,
         series = (SELECT count(*) FROM series e WHERE e.study = study.id),
         modalities = (SELECT coalesce(group_concat(modality, '\\'), '') FROM
           (SELECT DISTINCT modality FROM series e WHERE e.study = study.id AND modality <> '' ORDER BY modality))
       WHERE id = ?`,
    )
  }

  /** @throws AlcoveError store/full and others; nothing of the batch is visible then */
  acknowledge(batch: readonly { capsule: NewCapsule; instances: readonly StoredInstance[] }[]): void {
    withStoreErrors(() => {
      this.#connection.exec('BEGIN IMMEDIATE')
      try {
        const now = new Date().toISOString()
        for (const { capsule, instances } of batch) this.#addStudy(capsule, instances, now)
        this.#connection.exec('COMMIT')
      } catch (error) {
        if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
        throw error
      }
    })
  }

  #addStudy(capsule: NewCapsule, instances: readonly StoredInstance[], now: string): void {
    const [first] = instances
    if (first === undefined) return
    let study = this.#findStudy.get(first.head.studyInstanceUID)
    if (study === undefined) {
      this.#insertCapsule.run(capsule.id, capsule.sealedKey, capsule.cipher, now)
      study = Number(this.#insertStudy.run(...studyColumns(first.head, capsule.id, now)).lastInsertRowid)
    }
    let bytes = 0
    for (const instance of instances) {
      const { head } = instance
      const series =
        this.#findSeries.get(study, head.seriesInstanceUID) ??
        Number(this.#insertSeries.run(study, ...seriesColumns(head)).lastInsertRowid)
      this.#insertInstance.run(series, ...instanceColumns(instance))
      this.#countSeries.run(head.frames, instance.bytes, series)
      bytes += instance.bytes
    }
    this.#countStudy.run(instances.length, bytes, study)
  }
}

function personNames(dataset: DicomJsonDataset, tag: string): string[] {
  return (dataset[tag]?.Value ?? []).flatMap((value) => {
    if (typeof value !== 'object' || value === null) return []
    const { Alphabetic, Ideographic, Phonetic } = value as PersonNameJson
    return [Alphabetic, Ideographic, Phonetic].filter((group) => group !== undefined && group !== '') as string[]
  })
}

function studyColumns(head: InstanceHead, capsule: string, now: string): (string | null)[] {
  const { dataset } = head
  const names = personNames(dataset, '00100010')
  const patientId = text(dataset, '00100020')
  const accessionNumber = text(dataset, '00080050')
  const description = text(dataset, '00081030')
  const searched = [...names, patientId, accessionNumber, description].filter((value) => value !== null)
  return [
    head.studyInstanceUID,
    capsule,
    text(dataset, '00100010') ?? names[0] ?? null,
    patientId,
    text(dataset, '00100030'),
    text(dataset, '00100040'),
    text(dataset, '00080020')?.replace(/[.]/g, '') ?? null,
    text(dataset, '00080030'),
    accessionNumber,
    description,
    text(dataset, '00080090'),
    text(dataset, '00080080'),
    fold(searched.join('\n')).replace(/\^/g, ' '),
    fold(names[0] ?? ''),
    JSON.stringify(keptAttributes(dataset, 'study')),
    now,
  ]
}

function seriesColumns(head: InstanceHead): (string | number | null)[] {
  const { dataset } = head
  return [
    head.seriesInstanceUID,
    text(dataset, '00080060') ?? '',
    numberOf(dataset, '00200011'),
    text(dataset, '0008103E'),
    text(dataset, '00180015'),
    JSON.stringify(keptAttributes(dataset, 'series')),
  ]
}

function instanceColumns({ head, ...stored }: StoredInstance): (string | number | Uint8Array | null)[] {
  const { dataset } = head
  return [
    head.sopInstanceUID,
    stored.capsuleRow,
    head.sopClassUID,
    head.transferSyntaxUID,
    numberOf(dataset, '00200013'),
    wholeNumber(numberOf(dataset, '00280010')),
    wholeNumber(numberOf(dataset, '00280011')),
    head.frames,
    stored.bytes,
    stored.sha256,
    stored.root,
    JSON.stringify(keptAttributes(dataset, 'instance')),
  ]
}

function wholeNumber(value: number | null): number | null {
  return value !== null && Number.isInteger(value) ? value : null
}
