import type { Register } from './command.ts'
import { findStudy, studyArgument } from './arguments.ts'
import { usageError } from './output.ts'

export const registerDelete: Register = (program, run) => {
  program
    .command('purge')
    .description('delete a study for good: its key is destroyed first, then its file')
    .argument('<study>')
    .option('--yes', 'really do it')
    .action(
      run<{ yes?: boolean }>(async ({ open, output }, [uid], options) => {
        const study = studyArgument(uid!)
        if (options.yes !== true) throw usageError('This cannot be undone; add --yes to delete the study.')
        const workstation = await open()
        findStudy(workstation, study)
        await workstation.studies.deleteStudy(study)
        output.result({ deleted: [study] }, () => `Deleted ${study}.`)
      }),
    )
}
