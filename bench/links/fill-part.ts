/** A process that fills a part of a directory, for `fill.ts`. */
import { fillPart, type Part } from './fill.ts';

const [part = ''] = process.argv.slice(2);
fillPart(JSON.parse(part) as Part, (more) => void process.send?.(more));
process.disconnect();
