import { writeFileAtomic } from '#node/files/atomic-file.ts'
import { newToken } from '#node/http/loopback-guard.ts'
import { createApi } from '../api/create-api.ts'
import { createHeadlessShell } from '../shell/headless/headless-shell.ts'
import { diagnose } from '../workstation-doctor.ts'
import { existingRenderer } from './renderer-folder.ts'
import type { Register } from './command.ts'
import { usageError } from './output.ts'

const DEFAULT_PORT = 8104

export const registerServe: Register = (program, run) => {
  program
    .command('serve')
    .description('serve this workstation on 127.0.0.1: window, DICOMweb and REST, without opening anything')
    .option('--port <n>', 'port; 0 lets the system choose', String(DEFAULT_PORT))
    .option('--token-file <file>', 'write the bearer token there (0600) instead of printing it')
    .action(
      run<{ port: string; tokenFile?: string }>(async ({ open, output, dataDir, logger, signal }, _, options) => {
        const port = Number(options.port)
        if (!Number.isInteger(port) || port < 0 || port > 65_535) throw usageError('--port takes 0 to 65535.')
        const workstation = await open({ create: true })
        workstation.warm()
        const token = newToken()
        if (options.tokenFile !== undefined) await writeFileAtomic(options.tokenFile, `${token}\n`)
        const api = createApi(workstation, {
          shell: 'headless',
          rendererDir: await existingRenderer(),
          logger,
          doctor: () => diagnose({ dataDir, workstation }),
        })
        let link = ''
        const shell = createHeadlessShell({
          reason: 'alcove serve',
          port,
          bearerToken: token,
          signal,
          onLink: (text) => (link = text),
        })
        const session = await shell.open(api, '/')
        const url = session.url ?? ''
        const shown = options.tokenFile === undefined ? { token } : { tokenFile: options.tokenFile }
        output.result({ url, dicomWeb: `${url}/dicom-web`, api: `${url}/api/v1`, link, ...shown }, () =>
          [
            `Alcove serves ${dataDir} on ${url} (this machine only).`,
            `  Window     ${link}   (valid once, for ten minutes)`,
            `  DICOMweb   ${url}/dicom-web`,
            `  REST       ${url}/api/v1   (described by ${url}/api/v1/openapi.json)`,
            options.tokenFile === undefined
              ? `  Token      ${token}   (Authorization: Bearer …)`
              : `  Token      in ${options.tokenFile}`,
            'Ctrl+C ends it.',
          ].join('\n'),
        )
        await session.closed
      }),
    )
}
