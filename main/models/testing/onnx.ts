/**
 * A minimal writer of ONNX files (protobuf, onnx.proto of ONNX 1.12): enough for the tiny models tests are made of.
 * Field numbers are those of the published onnx.proto.
 */

const FLOAT = 1
const INT64 = 7

function varint(value: number): number[] {
  const septets: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    septets.push(rest > 0n ? low | 0x80 : low)
  } while (rest > 0n)
  return septets
}

function integer(field: number, value: number): Buffer {
  return Buffer.from([...varint(field << 3), ...varint(value)])
}

function bytes(field: number, value: Uint8Array | string): Buffer {
  const body = Buffer.from(value)
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(body.length)]), body])
}

function message(field: number, ...parts: Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts))
}

interface OnnxInitializer {
  name: string
  shape: number[]
  values: Float32Array | BigInt64Array
}

interface OnnxNode {
  op: string
  inputs: string[]
  outputs: string[]
  /** Whole numbers and lists of them: all that tests need. */
  attributes?: Record<string, number | number[]>
}

interface OnnxModel {
  nodes: OnnxNode[]
  initializers: OnnxInitializer[]
  /** A string is a free dimension's name. */
  input: { name: string; shape: (number | string)[] }
  output: { name: string; shape: (number | string)[] }
}

function valueInfo(field: number, { name, shape }: OnnxModel['input']): Buffer {
  const dims = shape.map((side) => message(1, typeof side === 'number' ? integer(1, side) : bytes(2, side)))
  return message(field, bytes(1, name), message(2, message(1, integer(1, FLOAT), message(2, ...dims))))
}

function attribute(name: string, value: number | number[]): Buffer {
  const [INT, INTS] = [2, 7]
  if (typeof value === 'number') return message(5, bytes(1, name), integer(3, value), integer(20, INT))
  return message(5, bytes(1, name), ...value.map((item) => integer(8, item)), integer(20, INTS))
}

export function writeOnnx(model: OnnxModel): Buffer {
  const nodes = model.nodes.map(({ op, inputs, outputs, attributes = {} }) =>
    message(
      1,
      ...inputs.map((name) => bytes(1, name)),
      ...outputs.map((name) => bytes(2, name)),
      bytes(4, op),
      ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    ),
  )
  const initializers = model.initializers.map(({ name, shape, values }) =>
    message(
      5,
      ...shape.map((side) => integer(1, side)),
      integer(2, values instanceof Float32Array ? FLOAT : INT64),
      bytes(8, name),
      bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    ),
  )
  const graph = message(
    7,
    ...nodes,
    bytes(2, 'test'),
    ...initializers,
    valueInfo(11, model.input),
    valueInfo(12, model.output),
  )
  return Buffer.concat([integer(1, 8), bytes(2, 'alcove tests'), graph, message(8, bytes(1, ''), integer(2, 17))])
}

const scalar = (name: string, value: number): OnnxInitializer => ({ name, shape: [1], values: Float32Array.of(value) })

/** y = sigmoid(steepness · (x − centre)), voxel by voxel: a soft threshold. */
export function softThresholdOnnx(
  shape: (number | string)[],
  centre: number,
  steepness: number,
  names = { input: 'image', output: 'probability' },
): Buffer {
  return writeOnnx({
    nodes: [
      { op: 'Sub', inputs: [names.input, 'centre'], outputs: ['shifted'] },
      { op: 'Mul', inputs: ['shifted', 'steepness'], outputs: ['scaled'] },
      { op: 'Sigmoid', inputs: ['scaled'], outputs: [names.output] },
    ],
    initializers: [scalar('centre', centre), scalar('steepness', steepness)],
    input: { name: names.input, shape },
    output: { name: names.output, shape },
  })
}

/**
 * As softThresholdOnnx, after `layers` convolutions of `channels` channels whose sum adds nothing (all weights zero):
 * slow, with the same result.
 */
export function slowThresholdOnnx(
  shape: number[],
  centre: number,
  steepness: number,
  layers: number,
  channels: number,
): Buffer {
  const kernel = { kernel_shape: [3, 3, 3], pads: [1, 1, 1, 1, 1, 1] }
  const weights = (name: string, outputs: number, inputs: number): OnnxInitializer => ({
    name,
    shape: [outputs, inputs, 3, 3, 3],
    values: new Float32Array(outputs * inputs * 27),
  })
  const initializers = [scalar('centre', centre), scalar('steepness', steepness)]
  const nodes: OnnxNode[] = []
  let previous = 'image'
  for (let layer = 0; layer < layers; layer++) {
    const [inputs, outputs] = [layer === 0 ? 1 : channels, layer === layers - 1 ? 1 : channels]
    initializers.push(weights(`w${layer}`, outputs, inputs))
    nodes.push({ op: 'Conv', inputs: [previous, `w${layer}`], outputs: [`h${layer}`], attributes: kernel })
    previous = `h${layer}`
  }
  nodes.push(
    { op: 'Add', inputs: ['image', previous], outputs: ['same'] },
    { op: 'Sub', inputs: ['same', 'centre'], outputs: ['shifted'] },
    { op: 'Mul', inputs: ['shifted', 'steepness'], outputs: ['scaled'] },
    { op: 'Sigmoid', inputs: ['scaled'], outputs: ['probability'] },
  )
  return writeOnnx({ nodes, initializers, input: { name: 'image', shape }, output: { name: 'probability', shape } })
}

/** [1, 1, H, W] → [1, 1]: sigmoid of the mean grey. */
export function meanGreyOnnx(height: number, width: number): Buffer {
  return writeOnnx({
    nodes: [
      { op: 'ReduceMean', inputs: ['image'], outputs: ['mean'], attributes: { axes: [2, 3], keepdims: 0 } },
      { op: 'Sigmoid', inputs: ['mean'], outputs: ['score'] },
    ],
    initializers: [],
    input: { name: 'image', shape: [1, 1, height, width] },
    output: { name: 'score', shape: [1, 1] },
  })
}
