/** Which handler carries which segment; a segment without one is accounted as kept. */

import { aut } from './authorization.ts';
import { gol, pth, variance } from './care.ts';
import { ft1 } from './charges.ts';
import { al1, dg1, iam, pr1, prb } from './clinical.ts';
import { con } from './consent.ts';
import { txa } from './document.ts';
import { gt1, in1, in2 } from './finance.ts';
import { rxa } from './immunization.ts';
import { acc, pda } from './incident.ts';
import { inv } from './inventory.ts';
import { cer, edu, lan, ldp, loc, mfe, mfi, om1, om2, om4, pra, stf } from './masters.ts';
import { nk1 } from './next-of-kin.ts';
import { nte } from './note.ts';
import { obx } from './observation.ts';
import { arv, cti } from './participation.ts';
import { ctd, prd, prt, rol } from './parties.ts';
import { blg, pd1, pid } from './patient.ts';
import { rxc, rxd, rxe, rxg, rxo, rxr } from './pharmacy.ts';
import { mrg } from './prior.ts';
import { question } from './query.ts';
import { db1, rf1 } from './referral.ts';
import { obr, orc } from './results.ts';
import { aig, ail, aip, ais, rgs, sch } from './scheduling.ts';
import { sac, spm } from './specimen.ts';
import type { SegmentHandler } from './state.ts';
import { tq1 } from './timing.ts';
import { npu, pv1, pv2 } from './visit.ts';

export const HANDLERS: Record<string, SegmentHandler | undefined> = {
  PID: pid,
  PD1: pd1,
  NK1: nk1,
  MRG: mrg,
  BLG: blg,
  PV1: pv1,
  PV2: pv2,
  NPU: npu,
  ACC: acc,
  PDA: pda,
  INV: inv,
  ARV: arv,
  CTI: cti,
  AL1: al1,
  IAM: iam,
  DG1: dg1,
  PRB: prb,
  PR1: pr1,
  ORC: orc,
  OBR: obr,
  OBX: obx,
  SPM: spm,
  SAC: sac,
  NTE: nte,
  TXA: txa,
  GT1: gt1,
  IN1: in1,
  IN2: in2,
  FT1: ft1,
  ROL: rol,
  PRT: prt,
  PRD: prd,
  CTD: ctd,
  SCH: sch,
  RGS: rgs,
  AIS: ais,
  AIG: aig,
  AIL: ail,
  AIP: aip,
  RXO: rxo,
  RXE: rxe,
  RXD: rxd,
  RXA: rxa,
  RXR: rxr,
  RXC: rxc,
  RXG: rxg,
  TQ1: tq1,
  RF1: rf1,
  DB1: db1,
  AUT: aut,
  CON: con,
  GOL: gol,
  PTH: pth,
  VAR: variance,
  MFI: mfi,
  MFE: mfe,
  STF: stf,
  PRA: pra,
  LAN: lan,
  EDU: edu,
  CER: cer,
  LOC: loc,
  LDP: ldp,
  OM1: om1,
  OM2: om2,
  OM4: om4,
  QPD: question,
  QRD: question,
  QRF: question,
  RCP: question,
  RDF: question,
  QAK: question,
};
