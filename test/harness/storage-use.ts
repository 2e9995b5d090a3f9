import { BlobServiceClient } from '@azure/storage-blob';

export interface StoredFile {
  readonly name: string;
  readonly size: number;
}

/** What a container holds under a prefix, as in `files/`; nothing when there is no such container yet. */
export async function storedFiles(
  connectionString: string,
  { container = 'detach', prefix = 'files/' } = {},
): Promise<StoredFile[]> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  if (!(await client.exists())) return [];
  const files: StoredFile[] = [];
  for await (const { name, properties } of client.listBlobsFlat({ prefix })) {
    files.push({ name, size: properties.contentLength ?? 0 });
  }
  return files;
}
