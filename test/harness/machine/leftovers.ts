import { deleteLeftDirectories } from '../private-directory.ts';
import { ControlGroup } from './control-group.ts';
import { deleteLeftNamespaces } from './network.ts';

/** Removes what labs and tests have left that were killed: machines, networks, mounted file systems, folders. */
export async function removeLeftovers(): Promise<void> {
  await deleteLeftNamespaces();
  ControlGroup.removeLeftovers();
  deleteLeftDirectories();
}
