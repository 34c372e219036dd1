import type { Fault } from "../api/problem";
import type { QueryPolicy } from "../api/types";
import { type FieldName, type NumberField, NUMBERS } from "./asking_fields";

/** What stands in the fields, as typed. */
export type AskingForm = Record<FieldName, string>;
export type AskingEdits = Partial<AskingForm>;

const POINTER = "/query/";

/** A policy as the fields show it; what the service does not tell is empty. */
export function formOf(policy: Partial<QueryPolicy>): AskingForm {
  const numbers = NUMBERS.map((field) => [field.name, shown(field, policy[field.name])]);
  const { strategy = "", consensus = "" } = policy;
  return { ...Object.fromEntries(numbers), strategy, consensus } as AskingForm;
}

/** The parts of the policy that were edited to something else. */
export function changesOf(policy: Partial<QueryPolicy>, edits: AskingEdits): Partial<QueryPolicy> {
  const before = formOf(policy);
  const after = { ...before, ...edits };
  const changes: Record<string, string | number | null> = {};
  for (const field of NUMBERS) {
    const { name } = field;
    if (after[name] === before[name] || (field.ofSeveral && !asksSeveral(after))) continue;
    const value = meant(field, after[name]);
    if (value !== policy[name]) changes[name] = value;
  }
  if (after.strategy !== before.strategy) changes["strategy"] = after.strategy;
  if (after.consensus !== before.consensus && asksSeveral(after))
    changes["consensus"] = after.consensus;
  return changes as Partial<QueryPolicy>;
}

export function asksSeveral(form: AskingForm): boolean {
  return Number(form.overlap) > 1;
}

/** What the server refused, by field; `rest` tells whether it refused anything else. */
export function refusalsOf(faults: readonly Fault[]): { byField: AskingEdits; rest: boolean } {
  const byField: AskingEdits = {};
  for (const { pointer, detail } of faults) {
    const name = fieldAt(pointer);
    if (name) byField[name] ??= detail;
  }
  return { byField, rest: faults.some(({ pointer }) => !fieldAt(pointer)) };
}

function fieldAt(pointer: string): FieldName | undefined {
  if (!pointer.startsWith(POINTER)) return undefined;
  const name = pointer.slice(POINTER.length);
  return [...NUMBERS.map((field) => field.name), "strategy" as const, "consensus" as const].find(
    (known) => known === name,
  );
}

function shown({ scale, empty }: NumberField, value: unknown): string {
  if (typeof value !== "number" || value === empty?.value) return "";
  return String(undusted(value * scale));
}

function meant({ scale, empty }: NumberField, typed: string): number | null {
  if (typed.trim() === "" && empty) return empty.value;
  return undusted(Number(typed) / scale);
}

/** Without the last digits, which hold what the change of unit rounded. */
function undusted(value: number): number {
  return Number(value.toPrecision(12));
}
