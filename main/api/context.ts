import type { Logger } from '#node/log/logger.ts'
import type { DoctorReport } from '#common/contract/doctor.ts'
import type { AppInfo } from '#common/contract/settings.ts'
import type { Workstation } from '../workstation.ts'

/** What every handler stands on. */
export interface ApiContext {
  workstation: Workstation
  shell: AppInfo['shell']
  logger: Logger
  doctor: () => Promise<DoctorReport>
}
