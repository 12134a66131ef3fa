import { z } from 'zod'
import { LIMITS } from '../limits.ts'
import {
  findingSchema,
  inferenceRequestSchema,
  inferenceRunSchema,
  installedModelSchema,
  providerSchema,
} from './inference.ts'
import { calibrationSchema } from './calibration.ts'
import { doctorReportSchema } from './doctor.ts'
import { binary, EVENTS, NO_BODY, route } from './route.ts'
import { segmentationListSchema } from './segmentations.ts'
import { appInfoSchema, settingsSchema } from './settings.ts'
import { studyDetailSchema, studyListSchema } from './studies.ts'
import { taskSchema } from './tasks.ts'

const uid = z
  .string()
  .regex(/^[0-9]+(?:\.[0-9]+)*$/, 'must be a DICOM UID')
  .max(64)
const identifier = z.string().min(1).max(128)
const study = z.object({ study: uid })

/** Sort orders of the study list. */
export const STUDY_SORTS = ['studyDate', 'patientName', 'receivedAt', 'patientId', 'modalities', 'description'] as const

const studyListQuery = z.object({
  /** Free text over patient name, id, accession number and description. */
  search: z.string().max(256).optional(),
  sort: z.enum(STUDY_SORTS).optional(),
  descending: z.stringbool().optional(),
  /** Comma separated, e.g. "CT,PT": studies with any of these. */
  modality: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.qidoPageSize).default(200),
  offset: z.coerce.number().int().min(0).default(0),
})

const uploadSessionSchema = z.object({ id: z.string(), task: taskSchema })

/**
 * The REST API under /api/v1: what DICOMweb (under /dicom-web) does not cover. Errors are RFC 9457 problems
 * (problemSchema). The keys are the operation ids.
 */
export const ROUTES = {
  appInfo: route({ method: 'GET', path: '/app', summary: 'What the window needs at start', response: appInfoSchema }),
  doctor: route({
    method: 'GET',
    path: '/doctor',
    summary: 'What works on this workstation and what does not',
    response: doctorReportSchema,
  }),
  openapi: route({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document',
    response: z.record(z.string(), z.unknown()),
  }),
  events: route({
    method: 'GET',
    path: '/events',
    summary: 'Server-sent events: every document is an AppEvent',
    response: EVENTS,
  }),

  listStudies: route({
    method: 'GET',
    path: '/studies',
    summary: 'The study list, searched, sorted and paged',
    query: studyListQuery,
    response: studyListSchema,
  }),
  getStudy: route({
    method: 'GET',
    path: '/studies/{study}',
    summary: 'One study with its series',
    params: study,
    response: studyDetailSchema,
  }),
  deleteStudy: route({
    method: 'DELETE',
    path: '/studies/{study}',
    summary: 'Destroys the key of a study, then its file',
    params: study,
    response: NO_BODY,
    status: 204,
  }),
  openStudy: route({
    method: 'POST',
    path: '/studies/{study}/open',
    summary: 'Asks every open window to show a study',
    params: study,
    response: NO_BODY,
    status: 204,
  }),
  listRuns: route({
    method: 'GET',
    path: '/studies/{study}/runs',
    summary: 'Inference runs with their findings, newest first',
    params: study,
    response: z.object({ runs: z.array(inferenceRunSchema) }),
  }),
  calibration: route({
    method: 'GET',
    path: '/studies/{study}/series/{series}/calibration',
    summary: 'What the stored values of a series mean: SUVbw, HU or nothing known',
    params: z.object({ study: uid, series: uid }),
    response: calibrationSchema,
  }),
  seriesFrames: route({
    method: 'POST',
    path: '/studies/{study}/series/{series}/frames',
    summary: 'Frames of a series as stored, many in one answer (see frame-pack.ts); changes nothing',
    params: z.object({ study: uid, series: uid }),
    body: z.object({
      frames: z
        .array(z.object({ sop: uid, frame: z.number().int().min(1) }))
        .min(1)
        .max(LIMITS.framesPerRequest),
    }),
    response: binary('application/vnd.alcove.frames'),
  }),
  listSegmentations: route({
    method: 'GET',
    path: '/studies/{study}/segmentations',
    summary: 'DICOM SEG objects of a study and what they lie on',
    params: study,
    response: segmentationListSchema,
  }),
  segmentationMasks: route({
    method: 'GET',
    path: '/studies/{study}/segmentations/{sop}/masks',
    summary: 'The masks of a SEG object, packed bits per segment and source image (see masks.ts)',
    params: z.object({ study: uid, sop: uid }),
    response: binary('application/vnd.alcove.masks'),
  }),

  importPaths: route({
    method: 'POST',
    path: '/imports',
    summary: 'Imports files, folders and ZIPs that lie on this machine',
    body: z.object({ paths: z.array(z.string().min(1).max(32_768)).min(1).max(100_000) }),
    response: taskSchema,
    status: 202,
  }),
  startUpload: route({
    method: 'POST',
    path: '/imports/uploads',
    summary: 'Opens an import that is fed by uploads (files dropped on a browser window)',
    body: z.object({ files: z.number().int().min(0).nullable().default(null) }),
    response: uploadSessionSchema,
    status: 201,
  }),
  uploadFile: route({
    method: 'PUT',
    path: '/imports/uploads/{upload}/files',
    summary: 'One file (DICOM or ZIP) of an upload; answers when it has been taken in',
    params: z.object({ upload: identifier }),
    query: z.object({ name: z.string().min(1).max(4096) }),
    body: binary('application/octet-stream'),
    response: NO_BODY,
    status: 204,
  }),
  finishUpload: route({
    method: 'POST',
    path: '/imports/uploads/{upload}/finish',
    summary: 'No more files; the task ends when everything is stored',
    params: z.object({ upload: identifier }),
    response: taskSchema,
    status: 202,
  }),

  listTasks: route({
    method: 'GET',
    path: '/tasks',
    summary: 'Running and recent tasks, newest first',
    response: z.object({ tasks: z.array(taskSchema) }),
  }),
  getTask: route({
    method: 'GET',
    path: '/tasks/{task}',
    summary: 'One task',
    params: z.object({ task: identifier }),
    response: taskSchema,
  }),
  cancelTask: route({
    method: 'POST',
    path: '/tasks/{task}/cancel',
    summary: 'Asks a running task to stop; what it acknowledged stays',
    params: z.object({ task: identifier }),
    response: taskSchema,
    status: 202,
  }),

  listModels: route({
    method: 'GET',
    path: '/models',
    summary: 'Installed models',
    response: z.object({ models: z.array(installedModelSchema) }),
  }),
  modelCard: route({
    method: 'GET',
    path: '/models/{model}/card',
    summary: 'What a model was trained on, what it can and cannot do (Markdown)',
    params: z.object({ model: identifier }),
    query: z.object({ version: z.string().max(32).optional() }),
    response: z.object({ markdown: z.string() }),
  }),
  listProviders: route({
    method: 'GET',
    path: '/providers',
    summary: 'Inference providers of this build and whether they start here',
    response: z.object({
      providers: z.array(z.object({ provider: providerSchema, available: z.boolean(), note: z.string() })),
    }),
  }),
  startInference: route({
    method: 'POST',
    path: '/inference',
    summary: 'Runs a model over a study',
    body: inferenceRequestSchema,
    response: taskSchema,
    status: 202,
  }),
  reviewFinding: route({
    method: 'PATCH',
    path: '/runs/{run}/findings/{finding}',
    summary: 'Accepts or rejects a finding',
    params: z.object({ run: identifier, finding: identifier }),
    body: findingSchema.pick({ review: true }),
    response: inferenceRunSchema,
  }),

  getSettings: route({ method: 'GET', path: '/settings', summary: 'Settings', response: settingsSchema }),
  patchSettings: route({
    method: 'PATCH',
    path: '/settings',
    summary: 'Changes settings',
    body: z.strictObject({
      cipher: settingsSchema.shape.cipher.unwrap().optional(),
      providerOrder: settingsSchema.shape.providerOrder.unwrap().optional(),
      renderBackend: settingsSchema.shape.renderBackend.unwrap().optional(),
    }),
    response: settingsSchema,
  }),
} as const

export type Routes = typeof ROUTES
export type RouteName = keyof Routes
