/** A process of its own: compiles the R4 definitions into the file named on the command line. */
import { writeFileSync } from 'node:fs';
import { compileDefinitions } from '@causeway/fhir';

writeFileSync(process.argv[2]!, JSON.stringify(compileDefinitions()));
