import { OpenCalls } from '../open-calls.ts';

/** The calls of a service with one process. */
export const ownCalls = (hostname = 'relay.example'): OpenCalls =>
  new OpenCalls({ hostname, askOthers: () => Promise.resolve(false) });
