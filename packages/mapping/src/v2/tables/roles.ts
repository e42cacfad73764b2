/** Field numbers of the same facts in the segments that say who takes part in what, and as what. */
export interface RoleFields {
  role: number;
  person: number;
  address: number;
  phone: number;
  location: number;
  action?: number;
  start?: number;
  end?: number;
  specialty?: number;
  kind?: number;
  organization?: number;
}

/** ROL (v2.9 chapter 15.4.7), PRT (7.4.4), PRD (11.6.3), CTD (11.6.4). */
export const ROLE_FIELDS = {
  ROL: {
    action: 2,
    role: 3,
    person: 4,
    start: 5,
    end: 6,
    specialty: 9,
    kind: 10,
    address: 11,
    phone: 12,
    location: 13,
    organization: 14,
  },
  PRT: {
    action: 2,
    role: 4,
    person: 5,
    start: 11,
    end: 12,
    specialty: 6,
    kind: 7,
    address: 14,
    phone: 15,
    location: 9,
    organization: 8,
  },
  PRD: { role: 1, person: 2, start: 8, end: 9, address: 3, phone: 5, location: 4, organization: 10 },
  CTD: { role: 1, person: 2, address: 3, phone: 5, location: 4 },
} as const satisfies Readonly<Record<string, RoleFields>>;
