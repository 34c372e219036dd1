import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { QueryPolicy } from "../api/types";
import {
  type Choice,
  CONSENSUS,
  DRIFT,
  type FieldName,
  GOLD,
  MAIN,
  type NumberField,
  OVERLAP,
  QUEUE,
  SAMPLES,
  STRATEGIES,
} from "./asking_fields";
import { type AskingEdits, type AskingForm, asksSeveral, formOf } from "./asking_form";

interface AskingParts {
  policy: QueryPolicy;
  edits: AskingEdits;
  refused: AskingEdits;
  onEdit: (name: FieldName, value: string) => void;
}

interface PartParts {
  policy: Partial<QueryPolicy>;
  form: AskingForm;
  refused: AskingEdits;
  onEdit: AskingParts["onEdit"];
}

const FOLDED: readonly FieldName[] = [
  "consensus",
  ...[...OVERLAP, ...GOLD, ...SAMPLES, ...QUEUE, ...DRIFT].map(({ name }) => name),
];

/** The policy of when to ask: what is changed most, and the rest beneath. */
export function AskingSettings({ policy, edits, refused, onEdit }: AskingParts) {
  const form = { ...formOf(policy), ...edits };
  const part: PartParts = { policy, form, refused, onEdit };
  const refusedBelow = FOLDED.some((name) => refused[name]);
  const more = useRef<HTMLDetailsElement>(null);
  const unfold = () => {
    if (more.current) more.current.open = true;
  };
  useEffect(() => {
    if (refusedBelow) unfold();
  }, [refusedBelow]);
  return (
    <fieldset class="asking" data-testid="asking-settings">
      <legend>When to ask</legend>
      <Select {...part} name="strategy" words="Strategy" choices={STRATEGIES} />
      <div class="asking-fields">
        <Numbers {...part} fields={MAIN} />
      </div>
      {/* A field cannot be pointed at while it is folded away. */}
      <details ref={more} onInvalidCapture={unfold}>
        <summary>More</summary>
        <Group words="Who is asked">
          <Numbers
            {...part}
            fields={OVERLAP.filter((field) => !field.ofSeveral || asksSeveral(form))}
          />
          {asksSeveral(form) && (
            <Select {...part} name="consensus" words="Consensus" choices={CONSENSUS} />
          )}
          <Numbers {...part} fields={GOLD} />
        </Group>
        <Group words="Which samples">
          <Numbers {...part} fields={SAMPLES} />
        </Group>
        <Group words="Open questions">
          <Numbers {...part} fields={QUEUE} />
        </Group>
        <Group words="After a drift alarm">
          <Numbers {...part} fields={DRIFT} />
        </Group>
      </details>
    </fieldset>
  );
}

function Group({ words, children }: { words: string; children: ComponentChildren }) {
  return (
    <div class="asking-group" role="group" aria-label={words}>
      <h3>{words}</h3>
      <div class="asking-fields">{children}</div>
    </div>
  );
}

interface NumbersParts extends PartParts {
  fields: readonly NumberField[];
}

function Numbers({ policy, form, refused, onEdit, fields }: NumbersParts) {
  return (
    <>
      {fields.map(({ name, words, hint, min, max, whole, empty }) => (
        <Field key={name} name={name} words={words} hint={hint} refusal={refused[name]}>
          <input
            {...described(name, hint, refused[name])}
            type="number"
            min={min}
            max={max}
            step={whole ? 1 : "any"}
            required={!empty && policy[name] !== undefined}
            placeholder={empty?.words ?? "default"}
            value={form[name]}
            onInput={(event) => onEdit(name, event.currentTarget.value)}
          />
        </Field>
      ))}
    </>
  );
}

interface SelectParts extends PartParts {
  name: FieldName;
  words: string;
  choices: readonly Choice[];
}

function Select({ form, refused, onEdit, name, words, choices }: SelectParts) {
  const hint = choices.find(({ value }) => value === form[name])?.hint;
  return (
    <Field name={name} words={words} hint={hint} refusal={refused[name]}>
      <select
        {...described(name, hint, refused[name])}
        value={form[name]}
        onChange={(event) => onEdit(name, event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.words}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface FieldParts {
  name: FieldName;
  words: string;
  hint: string | undefined;
  refusal: string | undefined;
  children: ComponentChildren;
}

function Field({ name, words, hint, refusal, children }: FieldParts) {
  return (
    <div class="asking-field">
      <label class="field">
        <span>{words}</span>
        {children}
      </label>
      {hint && (
        <p id={`${name}-hint`} class="fine">
          {hint}
        </p>
      )}
      {refusal && (
        <p id={`${name}-refusal`} class="fine problem">
          Refused: {refusal}.
        </p>
      )}
    </div>
  );
}

/** What a screen reader says of a field beside its name. */
function described(name: FieldName, hint: string | undefined, refusal: string | undefined) {
  const by = [hint && `${name}-hint`, refusal && `${name}-refusal`].filter(Boolean);
  return {
    "aria-describedby": by.join(" ") || undefined,
    "aria-invalid": refusal ? true : undefined,
  };
}
