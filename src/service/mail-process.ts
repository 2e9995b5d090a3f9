/** The program of a mail process. */
import { openMail } from './mail-service.ts';
import { runProcess } from './process-host.ts';

await runProcess(openMail);
