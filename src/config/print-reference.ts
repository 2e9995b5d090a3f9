// Writes the reference page: npx tsx src/config/print-reference.ts > docs/configuration.md
import { renderReference } from './reference.ts';
import { schema } from './schema.ts';

process.stdout.write(renderReference(schema));
