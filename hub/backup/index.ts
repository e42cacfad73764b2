/** Back-ups: one sealed file of all tables at one moment, restored into an empty database, and tried. */

export { type BackupReport, backUp, backupName, patientClient, type Reached } from './backup.ts';
export { backupCommand, drillCommand, restoreCommand, withDatabase } from './commands.ts';
export { framesOfBackup } from './file.ts';
export { type RestoreReport, restore } from './restore.ts';
export { type BackupState, backupState, type Drill, refuseUnfinished } from './state.ts';
