/** The viewer's IANA time zone; the server counts days and reads words such as "today" in it. */
export const timeZone: string = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
