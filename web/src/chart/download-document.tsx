/** Saves the record as a Continuity of Care Document (C-CDA R2.1), made from it at that moment. */
import { Button } from '@mantine/core';
import type { Bundle, DocumentReference } from '@medplum/fhirtypes';
import { useMutation } from '@tanstack/react-query';
import { useContext } from 'react';
import { getJson, getText } from '../api/request.ts';
import { EmergencyOf } from '../emergency/emergency-of.ts';
import { saveFile } from '../parts/save-file.ts';
import { useUser } from '../session/session.ts';
import { binaryPath } from './attachment.ts';

const CCD = 'http://loinc.org|34133-9';

export function DownloadDocument({ id }: { id: string }) {
  const emergency = useContext(EmergencyOf);
  const role = useUser()?.role;
  const isLay = role === 'patient' || role === 'proxy';
  const download = useMutation({
    mutationFn: () => fetchDocument(id, emergency),
    onSuccess: (xml) => saveFile(xml, 'continuity-of-care.xml', 'application/xml'),
  });
  return (
    <span>
      <Button
        size="compact-sm"
        variant="default"
        title="A Continuity of Care Document (C-CDA), which other health systems can read"
        loading={download.isPending}
        onClick={() => download.mutate()}
      >
        {isLay ? 'Download the record' : 'Download as CCD'}
      </Button>
      {download.isError && (
        <span role="alert" className="small" style={{ marginLeft: '0.6rem' }}>
          Not downloaded: {download.error.message}
        </span>
      )}
    </span>
  );
}

async function fetchDocument(id: string, emergency: string | undefined): Promise<string> {
  const query = new URLSearchParams({ patient: id, type: CCD, 'on-demand': 'true' });
  const { entry } = await getJson<Bundle<DocumentReference>>(
    `/fhir/DocumentReference/$docref?${query}`,
    undefined,
    emergency,
  );
  const path = binaryPath(entry?.[0]?.resource?.content[0]?.attachment.url);
  if (!path) throw new Error('The hub makes no such document of this person.');
  return getText(path, 'application/xml', undefined, emergency);
}
