/** The program of the process for pages and downloads. */
import { openLinks } from './link-service.ts';
import { runProcess } from './process-host.ts';

await runProcess(openLinks);
