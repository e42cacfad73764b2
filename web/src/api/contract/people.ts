/** Persons and reviews of who is who. */

export interface Identifier {
  system?: string | null;
  value?: string | null;
}

/** One of the two records a reviewer compares. */
export interface ReviewSide {
  patient: string;
  person: string | null;
  source: string;
  sourceName?: string | null;
  name: string | null;
  birthDate: string | null;
  gender: string | null;
  address: string | null;
  phone: string | null;
  identifiers: Identifier[];
}

/** What one field adds to (or takes from) the evidence, in bits. */
export interface FieldEvidence {
  field: string;
  label: string;
  a: string | null;
  b: string | null;
  /** Name of the level of agreement; `missing` where one side has nothing to compare. */
  level: string;
  /** The level in words. */
  meaning?: string;
  weight: number;
}

export interface Review {
  id: string;
  /** `overlay`: one organisation put another human's data over this record; absent means `duplicate`. */
  kind?: 'duplicate' | 'overlay';
  state: 'open' | 'decided';
  createdAt: string;
  score: number;
  probability: number;
  a: ReviewSide;
  b: ReviewSide;
  explanation: FieldEvidence[];
  guards: string[];
  decision: { decision: 'same' | 'different'; by: string; at: string; reason: string | null } | null;
}

export interface ReviewPage {
  reviews: Review[];
  open: number;
  next: string | null;
}

export interface PersonMember {
  patient: string;
  source: string;
  sourceName?: string | null;
  name: string | null;
  birthDate: string | null;
  gender: string | null;
  identifiers: Identifier[];
  grade: 'auto' | 'confirmed' | 'source';
  since: string;
}

export interface PersonEvent {
  at: string;
  by: string;
  event: 'linked' | 'unlinked' | 'merged' | 'split';
  patient: string;
  reason: string | null;
  probability: number | null;
}

export interface Person {
  id: string;
  members: PersonMember[];
  history: PersonEvent[];
}
