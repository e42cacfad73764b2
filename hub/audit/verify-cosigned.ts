/** Holds the cosignatures of checkpoints to what somebody trusts: a policy of witnesses, and which of them are enough. */
import { cosignersIn, isEnough, type Policy, readVerifier, type Verifier, verifyCheckpoint } from '@causeway/tlog';
import type { Finding } from './replay.ts';

/** The latest checkpoint that those who are enough cosigned. */
export interface Cosigned {
  size: number;
  /** Who did, as the policy calls them, and when. */
  by: { name: string; at: Date }[];
}

/**
 * @param checkpoints of one log, the latest first
 * @param log its keys
 * @returns what is cosigned, nothing where the policy asks for nobody and nobody did; or what is wrong
 */
export function cosignedBy(
  checkpoints: readonly string[],
  { origin, log, policy }: { origin: string; log: readonly Verifier[]; policy: Policy },
): { cosigned?: Cosigned; finding?: Finding } {
  const witnesses = policy.witnesses.map(({ verifier }) => readVerifier(verifier));
  try {
    for (const note of checkpoints) {
      const { size, signatures } = verifyCheckpoint(note, { origin, log, witnesses });
      const names = cosignersIn(policy, signatures);
      if (names.size === 0 || !isEnough(policy, names)) continue;
      const by = [...names].map((name) => {
        const { time = 0 } = signatures.find((one) => cosignersIn(policy, [one]).has(name))!;
        return { name, at: new Date(time * 1_000) };
      });
      return { cosigned: { size, by } };
    }
  } catch (error) {
    return { finding: { kind: 'signature', text: `A cosigned checkpoint does not hold: ${(error as Error).message}` } };
  }
  if (isEnough(policy, new Set())) return {};
  const text =
    checkpoints.length === 0
      ? 'No witness has cosigned the log, and the policy asks for it.'
      : `None of the ${checkpoints.length} checkpoints that are kept was cosigned by those that the policy asks for.`;
  return { finding: { kind: 'witness', text } };
}
