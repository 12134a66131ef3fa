import { serveEngine } from './engine/serve.ts'
import { parentPort } from './engine/port.ts'

/** Entry of the inference process. It holds one study's key while it reads that study, and never the vault. */
serveEngine(parentPort())
