import { describe, expect, it } from 'vitest'
import { EventStreamParser } from '#common/contract/event-stream.ts'
import { createEventBus } from '../workstation-events.ts'
import { eventStream } from './events.ts'

async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: number) {
  const parser = new EventStreamParser()
  const decoder = new TextDecoder()
  const events = []
  while (events.length < wanted) {
    const { done, value } = await reader.read()
    if (done) break
    events.push(...parser.push(decoder.decode(value, { stream: true })))
  }
  return events
}

describe('eventStream', () => {
  it('carries events in order, text with line breaks included', async () => {
    const bus = createEventBus()
    const reader = eventStream(bus, new AbortController().signal).body!.getReader()
    bus.publish({ type: 'open-study', studyInstanceUID: '1.2' })
    bus.publish({ type: 'studies-changed', studyInstanceUIDs: ['1.2\n\nx', '1.3'] })
    expect(await readUntil(reader, 2)).toEqual([
      { type: 'open-study', studyInstanceUID: '1.2' },
      { type: 'studies-changed', studyInstanceUIDs: ['1.2\n\nx', '1.3'] },
    ])
    await reader.cancel()
  })

  it('shows that it is connected, and lives', async () => {
    const reader = eventStream(createEventBus(), new AbortController().signal, 20).body!.getReader()
    const decoder = new TextDecoder()
    for (let beat = 0; beat < 3; beat++) expect(decoder.decode((await reader.read()).value)).toMatch(/^:/)
    await reader.cancel()
  })

  it('ends with the request', async () => {
    const controller = new AbortController()
    const reader = eventStream(createEventBus(), controller.signal).body!.getReader()
    await reader.read()
    controller.abort()
    expect((await reader.read()).done).toBe(true)
  })

  it('lets a reader go that does not read, instead of keeping everything for it', async () => {
    const bus = createEventBus()
    const reader = eventStream(bus, new AbortController().signal).body!.getReader()
    for (let index = 0; index < 5_000; index++) bus.publish({ type: 'open-study', studyInstanceUID: String(index) })
    const events = await readUntil(reader, Infinity)
    expect(events.length).toBeGreaterThan(0)
    expect(events.length).toBeLessThan(1_200)
  })
})

describe('EventStreamParser', () => {
  it('joins events cut anywhere and skips what it does not know', () => {
    const parser = new EventStreamParser()
    const text =
      ': hello\n\nevent: new\ndata: {"type":"from-the-future"}\n\nevent: open-study\ndata: {"type":"open-study","studyInstanceUID":"1"}\n\n'
    const events = Array.from(text).flatMap((character) => parser.push(character))
    expect(events).toEqual([{ type: 'open-study', studyInstanceUID: '1' }])
  })
})
