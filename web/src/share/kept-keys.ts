/**
 * Keys of links that are brought up to date, kept in this browser (IndexedDB) as keys that can be used and not read: whoever
 * comes to the browser later finds no link there.
 */
const name = 'causeway-health-links';

/** A key, and the ids of the documents that are in the link beside the summary. */
export interface KeptKey {
  key: CryptoKey;
  documents: string[];
}

export async function keepKey(link: string, kept: KeptKey): Promise<void> {
  await run('readwrite', (store) => store.put(kept, link));
}

export async function keptKey(link: string): Promise<KeptKey | undefined> {
  return (await run('readonly', (store) => store.get(link))) as KeptKey | undefined;
}

export async function forgetKey(link: string): Promise<void> {
  await run('readwrite', (store) => store.delete(link));
}

async function run(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
  const database = (await done(opening)) as IDBDatabase;
  try {
    return await done(work(database.transaction('keys', mode).objectStore('keys')));
  } finally {
    database.close();
  }
}

function done(request: IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
