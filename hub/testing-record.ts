/** A record for tests: the real one over a fresh database, with the person index, without a server. */
import { Consents } from './consent/index.ts';
import type { Database } from './database/index.ts';
import { type TestDatabase, testDatabase } from './database/testing.ts';
import { PersonIndex } from './identity/index.ts';
import { FhirRecord, indexKeyOf } from './record/index.ts';
import { fixedMasterKey, newDataKey } from './secrets/index.ts';
import { accessOf, defaultPolicy } from './trust/index.ts';

/** The hub's own: nothing is hidden from it. */
export const custodian = accessOf({ username: 'a', name: 'A', role: 'administrator', organization: 'o' });
export const clinician = accessOf({ username: 'c', name: 'C', role: 'clinician', organization: 'o' });
/** Has no business in records. */
export const engineer = accessOf({ username: 'e', name: 'E', role: 'integration-engineer', organization: 'o' });

export interface TestRecord {
  test: TestDatabase;
  record: FhirRecord;
  persons: PersonIndex;
  /** The record of another hub over the same database, perhaps with connections of its own. */
  another(database?: Database): FhirRecord;
  /** Stores a resource under its id. */
  put(resource: { resourceType: string; id: string }): ReturnType<FhirRecord['update']>;
}

/** Makes a record of its own; `test.drop()` deletes its database. */
export async function testRecord(): Promise<TestRecord> {
  const test = await testDatabase();
  const master = fixedMasterKey(newDataKey());
  const index = await indexKeyOf(test.database, master);
  const make = (database = test.database) => {
    const record = new FhirRecord(database, master, index);
    const persons = new PersonIndex(database, record);
    new Consents(record, persons, () => defaultPolicy.zone);
    return { record, persons };
  };
  const { record, persons } = make();
  const another = (database = test.database) => make(database).record;
  const put: TestRecord['put'] = (resource) =>
    record.update(custodian, record.scan(JSON.stringify(resource), resource.resourceType), resource.id);
  return { test, record, persons, another, put };
}
