import { parentPort, workerData } from 'node:worker_threads'
import type { StudyWorkerData } from './worker-protocol.ts'

/** Entry of the worker threads in which everything that moves pixels runs. A reader does not load what only a writer needs. */
if (parentPort === null) throw new Error('study-worker runs in a worker thread')
const data = workerData as StudyWorkerData
if (data.role === 'reader') (await import('./read-worker.ts')).serveReads(parentPort)
else (await import('./write-worker.ts')).serveWrites(parentPort, data)
