export * from './conversion.ts';
export * from './fact-id.ts';
