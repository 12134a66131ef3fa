import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipItem {
  name: string
  content: Uint8Array | string
  /** Unix mode with its type bits, e.g. 0o120777 for a symbolic link. */
  mode?: number
  /** Size the headers claim instead of the true one. */
  claimedBytes?: number
}

/** A deflated ZIP (APPNOTE 6.3.3), including the malformed ones that tests need and archivers refuse to make. */
export function writeZip(items: ZipItem[]): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const item of items) {
    const name = Buffer.from(item.name)
    const content = Buffer.from(item.content)
    const packed = deflateRawSync(content)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(item.claimedBytes ?? content.length, 18)
    common.writeUInt16LE(name.length, 22)
    local.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, packed)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(((item.mode ?? 0o100644) << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    // Version made by: 3 = Unix, so that the mode in the external attributes counts.
    central.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, name)
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(items.length, 8)
  end.writeUInt16LE(items.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, directory, end])
}
