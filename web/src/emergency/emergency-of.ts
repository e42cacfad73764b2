/** The emergency access under which the chart that is shown is read; undefined where there is none. */
import { createContext } from 'react';

export const EmergencyOf = createContext<string | undefined>(undefined);
