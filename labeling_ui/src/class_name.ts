/** A class's name as the service takes it: without tabs, line breaks and the like, which come with what is pasted. */
export function className(typed: string): string {
  return typed.replace(/[\x00-\x1f\x7f]+/g, " ").trim();
}
