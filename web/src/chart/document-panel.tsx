/** Reports and documents, newest first, their text opened in place. */
import type { Attachment, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useContext, useState } from 'react';
import { EmergencyOf } from '../emergency/emergency-of.ts';
import { conceptsText, conceptText } from '../fhir/concepts.ts';
import { newestFirst } from '../fhir/dates.ts';
import { observedText } from '../fhir/quantities.ts';
import { factsOf, type PersonRecord, resolve } from '../fhir/record.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { SourceChip } from '../parts/source-chip.tsx';
import { attachmentQuery } from './attachment.ts';
import { Panel } from './panel.tsx';

type Paper = DocumentReference | DiagnosticReport;

export function DocumentPanel({ record }: { record: PersonRecord }) {
  const papers = [
    ...(factsOf(record, 'DocumentReference') as Paper[]),
    ...(factsOf(record, 'DiagnosticReport') as Paper[]),
  ].toSorted((a, b) => newestFirst(dateOf(a), dateOf(b)));
  return (
    <Panel anchor="documents" title="Reports and documents" size={papers.length} empty="No documents on record.">
      <FirstFew items={papers} few={15} what="reports and documents">
        {(shown) => (
          <ul style={{ listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '0.5rem' }}>
            {shown.map((paper) => (
              <PaperItem key={`${paper.resourceType}/${paper.id}`} paper={paper} record={record} />
            ))}
          </ul>
        )}
      </FirstFew>
    </Panel>
  );
}

function PaperItem({ paper, record }: { paper: Paper; record: PersonRecord }) {
  const [open, setOpen] = useState(false);
  const attachments = attachmentsOf(paper);
  const title = titleOf(paper);
  const remark = remarkOf(paper);
  const openable = attachments.length > 0 || (paper.resourceType === 'DiagnosticReport' && paper.result?.length);
  return (
    <li>
      <span style={{ display: 'flex', flexWrap: 'wrap', gap: '0.2rem 0.8rem', alignItems: 'baseline' }}>
        {openable ? (
          <button type="button" className="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {title}
          </button>
        ) : (
          title
        )}
        {remark && <Mark tone={remark === 'superseded' ? 'warn' : 'info'}>{remark}</Mark>}
        <SourceChip resource={paper} date={dateOf(paper)} />
      </span>
      {paper.resourceType === 'DiagnosticReport' && paper.conclusion && <div className="small">{paper.conclusion}</div>}
      {open && paper.resourceType === 'DiagnosticReport' && <ReportResults report={paper} record={record} />}
      {open &&
        attachments.map((attachment, at) => <AttachmentText key={attachment.url ?? at} attachment={attachment} />)}
    </li>
  );
}

function ReportResults({ report, record }: { report: DiagnosticReport; record: PersonRecord }) {
  return (
    <ul className="small" style={{ margin: '0.2rem 0 0' }}>
      {(report.result ?? []).map((reference) => {
        const result = resolve(record, reference.reference, report);
        if (result?.resourceType !== 'Observation') {
          return (
            <li key={reference.reference} className="quiet">
              {reference.display ?? 'A result that is withdrawn or not in this record'}
            </li>
          );
        }
        const withdrawn = result.status === 'entered-in-error';
        return (
          <li key={reference.reference}>
            {conceptText(result.code, 'Result')}:{' '}
            {withdrawn ? <Mark>withdrawn</Mark> : observedText(result) || 'no value'}
          </li>
        );
      })}
    </ul>
  );
}

function AttachmentText({ attachment }: { attachment: Attachment }) {
  const query = useQuery(attachmentQuery(attachment, useContext(EmergencyOf)));
  return (
    <Loaded query={query} what="the document">
      {(content) =>
        content.kind === 'text' ? (
          <section className="document-text" aria-label="Document text">
            {content.text}
          </section>
        ) : content.kind === 'message' ? (
          <p className="small" style={{ margin: '0.2rem 0' }}>
            <Link to="/messages/$id" params={{ id: content.id }}>
              Read the document as it was received
            </Link>
          </p>
        ) : content.kind === 'link' ? (
          <p className="small">
            <a href={content.href} download={attachment.title ?? 'document'}>
              Save the document
            </a>{' '}
            ({attachment.contentType ?? 'unknown format'})
          </p>
        ) : (
          <p className="small quiet">The source sent no content with this document.</p>
        )
      }
    </Loaded>
  );
}

function attachmentsOf(paper: Paper): Attachment[] {
  if (paper.resourceType === 'DiagnosticReport') return paper.presentedForm ?? [];
  return (paper.content ?? []).map((content) => content.attachment).filter((attachment) => attachment !== undefined);
}

function titleOf(paper: Paper): string {
  if (paper.resourceType === 'DiagnosticReport') return conceptText(paper.code, 'Report');
  const type = conceptText(paper.type) || conceptsText(paper.category);
  return paper.description || type || paper.content?.[0]?.attachment?.title || 'Document';
}

function remarkOf(paper: Paper): string {
  if (paper.resourceType === 'DiagnosticReport') return paper.status === 'final' ? '' : paper.status;
  if (paper.status === 'superseded') return 'superseded';
  return paper.docStatus && paper.docStatus !== 'final' ? paper.docStatus : '';
}

function dateOf(paper: Paper): string | undefined {
  if (paper.resourceType === 'DocumentReference') return paper.date ?? paper.context?.period?.start;
  return paper.effectiveDateTime ?? paper.effectivePeriod?.start ?? paper.issued;
}
