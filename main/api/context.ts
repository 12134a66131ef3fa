import type { Logger } from '#node/log/logger.ts'
import type { DoctorReport } from '#common/contract/doctor.ts'
import type { ShellName } from '../shell/types.ts'
import type { Workstation } from '../workstation.ts'

/** What every handler stands on. */
export interface ApiContext {
  workstation: Workstation
  shell: ShellName
  logger: Logger
  doctor: () => Promise<DoctorReport>
}
