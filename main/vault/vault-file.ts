import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AlcoveError } from '#common/errors.ts'
import { createFileAtomic } from '#node/files/atomic-file.ts'
import { PUBLIC_KEY_BYTES } from './hybrid-kem.ts'

const base64 = (bytes: number) =>
  z.base64().transform((text, context) => {
    const decoded = new Uint8Array(Buffer.from(text, 'base64'))
    if (decoded.length !== bytes) context.addIssue({ code: 'custom', message: `expected ${bytes} bytes` })
    return decoded
  })

/** Upper bounds keep a tampered file from asking for all the machine's memory. */
const kdfSchema = z.object({
  name: z.literal('argon2id'),
  memoryKiB: z.number().int().min(8).max(1_048_576),
  passes: z.number().int().min(1).max(64),
  parallelism: z.number().int().min(1).max(16),
  salt: base64(16),
})

const providerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('keychain') }),
  z.object({
    kind: z.literal('passphrase'),
    kdf: kdfSchema,
    /** 12 nonce | 32 ciphertext | 16 tag, AES-256-GCM under the passphrase's key. */
    sealedSeed: base64(60),
  }),
])

const vaultFileSchema = z.object({
  format: z.literal(1),
  /** Names the keychain entry; random, says nothing about the person or the machine. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.iso.datetime(),
  publicKey: base64(PUBLIC_KEY_BYTES),
  provider: providerSchema,
})

export type Kdf = z.infer<typeof kdfSchema>
export type VaultFile = z.infer<typeof vaultFileSchema>

const VAULT_FILE = 'vault.json'

/** The bytes as base64, all else as it is. */
function encode(file: VaultFile): string {
  return `${JSON.stringify(
    file,
    (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value),
    2,
  )}\n`
}

/** @throws AlcoveError vault/corrupt; null when there is none */
export async function readVaultFile(dataDir: string): Promise<VaultFile | null> {
  let content: string
  try {
    content = await readFile(join(dataDir, VAULT_FILE), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new AlcoveError('file/unreadable', `${VAULT_FILE} in the data folder cannot be read.`, { cause: error })
  }
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch (cause) {
    throw corrupt(cause)
  }
  const format = z.object({ format: z.number() }).safeParse(json)
  if (format.success && format.data.format > 1)
    throw new AlcoveError('store/newer-version', 'This data folder was made by a newer Alcove. Install that one.')
  const parsed = vaultFileSchema.safeParse(json)
  if (!parsed.success) throw corrupt(parsed.error)
  return parsed.data
}

function corrupt(cause: unknown): AlcoveError {
  return new AlcoveError(
    'vault/corrupt',
    `${VAULT_FILE} in the data folder is damaged. Restore it from a backup; nothing else was changed.`,
    { cause },
  )
}

/** Creates only: an identity that is there is never written over. @throws EEXIST */
export async function createVaultFile(dataDir: string, file: VaultFile): Promise<void> {
  await createFileAtomic(join(dataDir, VAULT_FILE), encode(file))
}

/** SHA-256 of the public key, first 16 hex digits. */
export function fingerprint(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16)
}

/** Is there anything in this folder that only an earlier key can read? */
export async function holdsEncryptedData(dataDir: string): Promise<boolean> {
  for (const name of ['catalogue.db', 'catalogue.key']) {
    if ((await stat(join(dataDir, name)).catch(() => null)) !== null) return true
  }
  const studies = await readdir(join(dataDir, 'studies')).catch(() => [] as string[])
  return studies.some((name) => name.endsWith('.db'))
}
