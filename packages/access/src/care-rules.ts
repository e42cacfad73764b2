/** How long what shows that an organisation cares for a person lasts, and within which time a loop has to be closed. */

export interface CareRules {
  /** A hospital's or practice's own chart of a person counts as care for as long as it is kept. */
  chart: boolean;
  /** Days for which care goes on after a visit has ended. */
  encounterDays: number;
  /** Days after an appointment. */
  appointmentDays: number;
  /** Days after an order or a referral was made. */
  orderDays: number;
  /** Hours after a discharge until a summary of it has been accepted by who cares next. */
  transitionHours: number;
  /** Hours after a discharge after which the hub writes a summary itself, where none was sent; 0: never. */
  summaryHours: number;
  /** Days until the consultant's note on a referral is back. */
  referralDays: number;
  /** Minutes until a person has acknowledged a critical result. */
  criticalMinutes: number;
  /** Hours until whoever was told something that does not hold has acknowledged that it was taken back. */
  recallHours: number;
}

/** What holds of that where a network has not decided. */
export const firstCareRules: CareRules = {
  chart: true,
  encounterDays: 90,
  appointmentDays: 30,
  orderDays: 90,
  transitionHours: 48,
  summaryHours: 24,
  referralDays: 30,
  criticalMinutes: 60,
  recallHours: 24,
};

const longest = 100_000;

/** What is wrong with rules as they are written down: any of them, the others are as they come. */
export function careFaults(written: unknown): string[] {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return ['care must be an object.'];
  return Object.entries(written).flatMap(([name, value]) => {
    if (!Object.hasOwn(firstCareRules, name)) return [`care.${name} is not known.`];
    if (name === 'chart') return typeof value === 'boolean' ? [] : ['care.chart must be true or false.'];
    const isCount = Number.isInteger(value) && Number(value) >= 0 && Number(value) <= longest;
    return isCount ? [] : [`care.${name} must be a whole number from 0 to ${longest}.`];
  });
}
