/** A process of its own: compiles the terminology and the definitions of R4 into the files named on the command line. */
import { writeFileSync } from 'node:fs';
import { compileDefinitions, compileTerminology } from '@causeway/fhir';

writeFileSync(process.argv[2]!, compileTerminology());
writeFileSync(process.argv[3]!, JSON.stringify(compileDefinitions()));
