/**
 * The advisory locks of the hub: each number stands here, and once, since two uses of one number would hold each other up.
 * Those of migrations and of conditions (`hub/record/conditions.ts`) are of other kinds.
 */
export const locks = {
  /** Taken by whoever changes which records are of one person; shared by who relies on it. */
  links: 7_240_316,
  /** Shared by whoever writes deliveries; alone by whoever changes consents. */
  deliveries: 7_240_370,
  indexBuild: 7_240_319,
  /** One job at a time is made, so that no limit is passed. */
  bulkJobs: 7_240_320,
  signingKeys: 7_240_340,
  auditTakeOver: 7_240_391,
  maintenance: 7_240_382,
  // What one hub at a time does.
  inboxLead: 7_240_317,
  outboxLead: 7_240_318,
  retentionLead: 7_240_330,
  parametersLead: 7_240_331,
  reprocessLead: 7_240_332,
  acknowledgementsLead: 7_240_333,
  fanOutLead: 7_240_334,
  labelsLead: 7_240_335,
  subscriptionsLead: 7_240_336,
  networkLead: 7_240_350,
  loopsLead: 7_240_360,
  erasuresLead: 7_240_380,
  maintenanceLead: 7_240_381,
  auditLead: 7_240_390,
  auditCheckLead: 7_240_392,
  witnessesLead: 7_240_393,
  directLead: 7_240_400,
  auditKeysLead: 7_240_394,
} as const;

/** What one hub at a time does. */
export type Lead = Extract<keyof typeof locks, `${string}Lead`>;
