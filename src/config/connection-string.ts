/**
 * What Azure's SDK would find wrong with a connection string. The SDK itself takes 30 MB and half a second to load, which
 * the supervisor does without; the test compares the two.
 * @returns undefined when it would take it
 */
export function connectionStringProblem(text: string): string | undefined {
  if (text.startsWith('UseDevelopmentStorage=true')) return undefined;
  const value = valuesOf(text);
  const endpoint = value('BlobEndpoint').replace(/\/$/, '');
  const withKey = text.includes('DefaultEndpointsProtocol=') && text.includes('AccountKey=');
  const problem = withKey ? accountProblem(value, endpoint) : sasProblem(value, endpoint);
  if (problem !== undefined) return `Invalid ${problem}`;
  const url = endpoint === '' ? `${value('DefaultEndpointsProtocol')}://x.blob.${value('EndpointSuffix')}` : endpoint;
  return URL.canParse(url) ? undefined : 'Invalid URL';
}

type Values = (name: string) => string;

/** Like the SDK, finds a name by the beginning of a segment. */
function valuesOf(text: string): Values {
  const segments = text.split(';').map((segment) => segment.trim());
  return (name) => {
    const segment = segments.find((each) => each.startsWith(name)) ?? '';
    return segment.startsWith(`${name}=`) ? segment.slice(name.length + 1) : '';
  };
}

function accountProblem(value: Values, endpoint: string): string | undefined {
  const protocol = value('DefaultEndpointsProtocol').toLowerCase();
  if (endpoint === '' && protocol !== 'https' && protocol !== 'http')
    return "DefaultEndpointsProtocol in the provided Connection String. Expecting 'https' or 'http'";
  if (endpoint === '' && value('EndpointSuffix') === '') return 'EndpointSuffix in the provided Connection String';
  if (value('AccountName') === '') return 'AccountName in the provided Connection String';
  if (Buffer.from(value('AccountKey'), 'base64').length === 0) return 'AccountKey in the provided Connection String';
  return undefined;
}

function sasProblem(value: Values, endpoint: string): string | undefined {
  if (endpoint === '') return 'BlobEndpoint in the provided SAS Connection String';
  if (value('SharedAccessSignature') === '') return 'SharedAccessSignature in the provided SAS Connection String';
  return undefined;
}
