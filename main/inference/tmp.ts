import { readManifest, modelDigest } from '../models/package.ts'
import { Sessions } from './engine/sessions.ts'
const s=new Sessions()
for (const dir of ['resources/models/cxr-pneumonia','resources/models/pet-lesion']) {
const manifest=await readManifest(dir)
const t=performance.now()
console.log(dir, await s.prepare({directory:dir,digest:modelDigest(manifest),manifest},'webgpu',true).catch(e=>e.message), performance.now()-t)
}
