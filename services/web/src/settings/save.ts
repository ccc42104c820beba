/** Sends one change of settings below the project's path; resolves to whether it was accepted. */
export type Save = (method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown, ifMatch?: number) => Promise<boolean>;
