/** What the tests use of mailauth, which ships no types. */
declare module 'mailauth' {
  export function authenticate(
    message: Buffer,
    options: {
      readonly trustReceived: boolean;
      readonly mta: string;
      readonly resolver: (name: string, type: string) => Promise<string[][]>;
    },
  ): Promise<{
    readonly dkim: {
      readonly results: readonly { readonly signingDomain: string; readonly status: { readonly result: string } }[];
    };
  }>;
}
