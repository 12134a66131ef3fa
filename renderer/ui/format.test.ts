import { describe, expect, it } from 'vitest'
import { aiStatus } from '../features/worklist/store.ts'
import { pageOf } from '../app/router.ts'
import { isSoftwareRenderer } from '../viewer/gl-renderer.ts'
import { ageAt, bytesText, dicomDate, dicomTime, personName } from './format.ts'

describe('format', () => {
  it('writes names, dates and sizes as people do', () => {
    expect(personName('Doe^John^A')).toBe('Doe, John A')
    expect(personName('^^')).toBe('Unnamed')
    expect(personName(null)).toBe('Unnamed')
    expect(dicomDate('20240229')).toBe('2024-02-29')
    expect(dicomDate('someday')).toBe('someday')
    expect(dicomTime('134501.25')).toBe('13:45')
    expect(bytesText(1536)).toBe('1.5 KB')
    expect(bytesText(52_259_694)).toBe('50 MB')
  })

  it('counts a birthday only once it has come', () => {
    expect(ageAt('19800601', '20240531')).toBe('43 y')
    expect(ageAt('19800601', '20240601')).toBe('44 y')
    expect(ageAt(null, '20240601')).toBeNull()
  })
})

describe('pageOf', () => {
  it('opens a study only by a UID', () => {
    expect(pageOf('#/study/1.2.3')).toEqual({ name: 'study', studyUid: '1.2.3' })
    expect(pageOf('#/study/../x')).toEqual({ name: 'worklist' })
    expect(pageOf('')).toEqual({ name: 'worklist' })
  })
})

describe('isSoftwareRenderer', () => {
  it('knows processors that pose as graphics cards', () => {
    expect(isSoftwareRenderer('ANGLE (Mesa, llvmpipe (LLVM 15.0.6, 256 bits), OpenGL 4.5)')).toBe(true)
    expect(isSoftwareRenderer('ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device))')).toBe(true)
    expect(isSoftwareRenderer(null)).toBe(true)
    expect(isSoftwareRenderer('ANGLE (NVIDIA Corporation, NVIDIA RTX A4000/PCIe/SSE2, OpenGL 4.5.0)')).toBe(false)
  })
})

describe('aiStatus', () => {
  it('is none without runs', () => {
    expect(aiStatus(undefined)).toEqual({ kind: 'none' })
  })
})
