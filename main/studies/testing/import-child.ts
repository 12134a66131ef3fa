import { writeSync } from 'node:fs'
import { openVault } from '../../vault/open-vault.ts'
import { openStudies } from '../open-studies.ts'
import { TEST_PASSPHRASE } from './test-store.ts'

/**
 * Imports a folder and prints each SOP Instance UID as soon as it is acknowledged, until it is killed.
 * Arguments: data folder, folder to import.
 */
const [dataDir = '', folder = ''] = process.argv.slice(2)
const vault = await openVault(dataDir, { passphrase: TEST_PASSPHRASE })
const { studies, importer } = await openStudies({ dataDir, vault })
writeSync(1, 'started\n')
await importer.import([{ kind: 'path', path: folder }], {
  onOutcome: ({ state, head }) => {
    if (state === 'imported') writeSync(1, `${head?.sopInstanceUID}\n`)
  },
})
writeSync(1, 'finished\n')
await studies.close()
