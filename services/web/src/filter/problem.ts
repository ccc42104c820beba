/** One fault the server found in an input: `position` is the byte offset in a parsed text. */
export interface ProblemField {
  name: string;
  message: string;
  position?: number;
}
