import { parentPort, workerData } from 'node:worker_threads'
import { serveReads } from './read-worker.ts'
import type { StudyWorkerData } from './worker-protocol.ts'
import { serveWrites } from './write-worker.ts'

/** Entry of the worker threads in which everything that moves pixels runs. */
if (parentPort === null) throw new Error('study-worker runs in a worker thread')
const data = workerData as StudyWorkerData
if (data.role === 'reader') serveReads(parentPort)
else serveWrites(parentPort, data)
