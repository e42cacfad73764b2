/**
 * The standards and implementation specifications of the HIPAA Security Rule (45 CFR 164.308, 164.310 and 164.312; the matrix
 * in Appendix A to Subpart C of Part 164). Those that a program can look at are looked at; the others somebody vouches for.
 */

export interface Safeguard {
  /** The paragraph, which is its name in the interface too. */
  id: string;
  name: string;
  group: 'administrative' | 'physical' | 'technical';
  /** Addressable ones may be met in another way that is reasonable and written down (45 CFR 164.306(d)). */
  isRequired: boolean;
  /** The live checks that tell of it; none where somebody vouches for it alone. */
  checks: readonly CheckName[];
}

export const checkNames = [
  'open-reviews',
  'idle-accounts',
  'failed-sign-ins',
  'password-storage',
  'back-up',
  'restore-drill',
  'agreements',
  'erasures',
  'row-security',
  'demonstration-accounts',
  'emergency-access',
  'idle-sessions',
  'sealed-records',
  'audit-log',
  'second-factors',
  'transport',
  'routes-in-clear',
  'certificates',
] as const;
export type CheckName = (typeof checkNames)[number];

const row = (id: string, name: string, isRequired: boolean, checks: readonly CheckName[] = []): Safeguard => ({
  id,
  name,
  group: id.startsWith('164.308') ? 'administrative' : id.startsWith('164.310') ? 'physical' : 'technical',
  isRequired,
  checks,
});

export const safeguards: readonly Safeguard[] = [
  row('164.308(a)(1)(ii)(A)', 'Risk analysis', true),
  row('164.308(a)(1)(ii)(B)', 'Risk management', true),
  row('164.308(a)(1)(ii)(C)', 'Sanction policy', true),
  row('164.308(a)(1)(ii)(D)', 'Information system activity review', true, ['open-reviews']),
  row('164.308(a)(2)', 'Assigned security responsibility', true),
  row('164.308(a)(3)(ii)(A)', 'Authorization and supervision of the workforce', false),
  row('164.308(a)(3)(ii)(B)', 'Workforce clearance', false),
  row('164.308(a)(3)(ii)(C)', 'Termination procedures', false, ['idle-accounts']),
  row('164.308(a)(4)(ii)(A)', 'Isolating clearinghouse functions', true),
  row('164.308(a)(4)(ii)(B)', 'Access authorization', false),
  row('164.308(a)(4)(ii)(C)', 'Access establishment and modification: review of who has access', false, [
    'idle-accounts',
  ]),
  row('164.308(a)(5)(ii)(A)', 'Security reminders', false),
  row('164.308(a)(5)(ii)(B)', 'Protection from malicious software', false),
  row('164.308(a)(5)(ii)(C)', 'Log-in monitoring', false, ['failed-sign-ins']),
  row('164.308(a)(5)(ii)(D)', 'Password management', false, ['password-storage', 'demonstration-accounts']),
  row('164.308(a)(6)(ii)', 'Response to and reporting of incidents', true),
  row('164.308(a)(7)(ii)(A)', 'Data back-up plan', true, ['back-up']),
  row('164.308(a)(7)(ii)(B)', 'Disaster recovery plan', true, ['restore-drill']),
  row('164.308(a)(7)(ii)(C)', 'Emergency mode operation plan', true),
  row('164.308(a)(7)(ii)(D)', 'Testing and revision of the plans', false, ['restore-drill']),
  row('164.308(a)(7)(ii)(E)', 'Applications and data criticality analysis', false),
  row('164.308(a)(8)', 'Evaluation', true),
  row('164.308(b)(3)', 'Written contracts with business associates and other participants', true, ['agreements']),
  row('164.310(a)(2)(i)', 'Contingency operations of the facility', false),
  row('164.310(a)(2)(ii)', 'Facility security plan', false),
  row('164.310(a)(2)(iii)', 'Access control and validation of visitors', false),
  row('164.310(a)(2)(iv)', 'Maintenance records', false),
  row('164.310(b)', 'Workstation use', true),
  row('164.310(c)', 'Workstation security', true),
  row('164.310(d)(2)(i)', 'Disposal', true, ['erasures']),
  row('164.310(d)(2)(ii)', 'Media re-use', true),
  row('164.310(d)(2)(iii)', 'Accountability for hardware and media', false),
  row('164.310(d)(2)(iv)', 'Copy of the data before equipment is moved', false, ['back-up']),
  row('164.312(a)(1)', 'Access control: only those who may', true, ['row-security']),
  row('164.312(a)(2)(i)', 'Unique user identification', true, ['demonstration-accounts']),
  row('164.312(a)(2)(ii)', 'Emergency access procedure', true, ['emergency-access']),
  row('164.312(a)(2)(iii)', 'Automatic logoff', false, ['idle-sessions']),
  row('164.312(a)(2)(iv)', 'Encryption and decryption', false, ['sealed-records']),
  row('164.312(b)', 'Audit controls', true, ['audit-log']),
  row('164.312(c)(2)', 'Mechanism to authenticate information', false, ['sealed-records', 'audit-log']),
  row('164.312(d)', 'Person or entity authentication', true, ['second-factors', 'certificates']),
  row('164.312(e)(2)(i)', 'Integrity in transmission', false, ['transport', 'routes-in-clear']),
  row('164.312(e)(2)(ii)', 'Encryption in transmission', false, ['transport', 'routes-in-clear', 'certificates']),
];
