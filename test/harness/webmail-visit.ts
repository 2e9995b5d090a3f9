import { ok } from 'node:assert/strict';

export interface Visitor {
  readonly user: string;
  readonly password: string;
}

/** Logs in at a Roundcube by its form, as a browser does, and opens a message of the inbox by its number there. */
export async function readInWebmail(url: string, { user, password }: Visitor, uid: number): Promise<string> {
  const cookies = new Map<string, string>();
  const ask = async (target: string, form?: Readonly<Record<string, string>>): Promise<Response> => {
    const cookie = Array.from(cookies, (pair) => pair.join('=')).join('; ');
    const body = form && { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(new URL(target, url), { redirect: 'manual', headers: { cookie }, ...body });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return response;
  };
  const page = await (await ask('/')).text();
  const token = /name="_token" value="([^"]+)"/.exec(page)?.[1];
  ok(token, `no login form: ${page}`);
  const form = { _task: 'login', _action: 'login', _token: token, _user: user, _pass: password };
  const login = await ask('/?_task=login', form);
  ok(login.status === 302, `no login for ${user}: ${login.status} ${await login.text()}`);
  return (await ask(`/?_task=mail&_mbox=INBOX&_action=show&_uid=${uid}`)).text();
}
